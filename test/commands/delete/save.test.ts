import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, buildDemoIndex, one, startPlace, two, writes } from '../copy/places.ts';
import { startSigned } from './signed.ts';

describe('ocictl delete --save', () => {
  it('keeps a manifest with its tags, and manifest put brings it back', async (t) => {
    const { name, digest, image, registry } = await startSigned(t);
    const gone = await ocictl(t, ['delete', '--yes', '--save', 'gone.tar', `${name}@${digest}`]);
    assert.equal(gone.exitCode, 0, gone.stderr);
    await assert.rejects(registry.statManifest(app, digest));
    const { exitCode, stdout, stderr } = await ocictl(t, ['manifest', 'put', name, 'oci-archive:gone.tar']);
    assert.deepEqual([exitCode, stdout], [0, `${name}@${digest}\n`], stderr);
    await assertWhole(registry, app, image);
    for (const tag of [one, two]) assert.equal((await registry.statManifest(app, tag)).digest, digest);
  });

  it('keeps an index with its images, and what a tag pointed at', async (t) => {
    const { registry, host } = await startPlace(t);
    const { index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const name = `${host}/team/app`;
    const gone = await ocictl(t, ['delete', '--save', 'gone.tar', `${name}:1`]);
    assert.deepEqual([gone.exitCode, gone.stdout], [0, `Deleted: ${name}:1\n`], gone.stderr);
    const all = [index, ...index.children].map(({ descriptor }) => descriptor.digest);
    for (const digest of all) await registry.deleteManifest(app, digest);
    const put = await ocictl(t, ['manifest', 'put', '--json', name, 'oci-archive:gone.tar']);
    assert.equal(put.exitCode, 0, put.stderr);
    assert.deepEqual((JSON.parse(put.stdout) as { tags: unknown }).tags, ['1']);
    await assertWhole(registry, app, index);
    const copied = await ocictl(t, ['copy', '-q', 'oci-archive:gone.tar:1', `${name}:again`]);
    assert.equal(copied.exitCode, 0, copied.stderr);
  });

  it('keeps what rules choose, each tag with its manifest', async (t) => {
    const { name, digest, registry, tag } = await startSigned(t);
    const words = ['--match', '*', '--yes', '--save', 'gone.tar', name];
    const gone = await ocictl(t, ['delete', ...words]);
    assert.equal(gone.exitCode, 0, gone.stderr);
    assert.equal((await ocictl(t, ['tags', name])).stdout, `${tag}\n`);
    const { exitCode, stderr } = await ocictl(t, ['manifest', 'put', name, 'oci-archive:gone.tar']);
    assert.equal(exitCode, 0, stderr);
    for (const each of [one, two]) assert.equal((await registry.statManifest(app, each)).digest, digest);
  });

  it('writes nothing where a tag points at something else by now', async (t) => {
    const { name, digest, parts, registry, proxy } = await startSigned(t);
    await ocictl(t, ['delete', '--yes', '--save', 'gone.tar', `${name}@${digest}`]);
    await pushImage(registry, app, two, parts);
    const before = proxy.requests.length;
    const { exitCode, stderr } = await ocictl(t, ['manifest', 'put', name, 'oci-archive:gone.tar']);
    assert.equal(exitCode, 9, stderr);
    assert.match(stderr, /team\/app:2 points at sha256:\S+ by now; nothing was written/);
    assert.deepEqual(writes(proxy, before), []);
  });

  it('says what is missing where the registry has removed the blobs', async (t) => {
    const { name, digest, image, registry } = await startSigned(t);
    await ocictl(t, ['delete', '--yes', '--save', 'gone.tar', `${name}@${digest}`]);
    for (const { descriptor } of image.blobs) await registry.deleteBlob(app, descriptor.digest);
    const { exitCode, stderr } = await ocictl(t, ['manifest', 'put', name, 'oci-archive:gone.tar']);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /hint: the registry has removed it since/);
  });

  it('deletes nothing if a manifest cannot be read, and leaves no file', async (t) => {
    const { name, digest, proxy } = await startSigned(t);
    proxy.fail({ method: 'GET', path: /\/manifests\/sha256:/, status: 403 });
    const { exitCode } = await ocictl(t, ['delete', '--yes', '--save', 'gone.tar', `${name}@${digest}`]);
    assert.equal(exitCode, 4);
    assert.deepEqual(writes(proxy), []);
    assert.deepEqual(
      (await readdir((await sandbox(t)).home)).filter((file) => file.includes('gone')),
      [],
    );
  });

  const refusals: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['a file that exists', ['--yes', '--save', 'there.tar'], 9, /there\.tar exists, and is not replaced/],
    ['standard output', ['--yes', '--save', '-'], 2, /--save takes a file/],
    ['a directory that is not there', ['--yes', '--save', 'no/gone.tar'], 10, /there is no directory/],
    ['--dry-run', ['--dry-run', '--save', 'gone.tar'], 2, /conflicting options: --save and --dry-run/],
    ['several references', ['--save', 'gone.tar', 'example.com/a:1'], 2, /several are given/],
  ];
  for (const [title, words, status, message] of refusals) {
    it(`refuses ${title} with status ${status}, and asks nothing`, async (t) => {
      const { name, digest, proxy } = await startSigned(t);
      await writeFile(join((await sandbox(t)).home, 'there.tar'), 'there');
      const { exitCode, stderr } = await ocictl(t, ['delete', ...words, `${name}@${digest}`]);
      assert.equal(exitCode, status, stderr);
      assert.match(stderr, message);
      assert.equal(proxy.requests.length, 0);
    });
  }

  it('refuses an archive with images under full names, and a tag beside an archive', async (t) => {
    const { name } = await startSigned(t);
    await ocictl(t, ['save', '-o', 'full.tar', `${name}:1`]);
    const full = await ocictl(t, ['manifest', 'put', name, 'oci-archive:full.tar']);
    assert.equal(full.exitCode, 7, full.stderr);
    assert.match(full.stderr, /has an image of the name .*\n.*ocictl copy/);
    await ocictl(t, ['delete', '--save', 'gone.tar', `${name}:1`]);
    const tagged = await ocictl(t, ['manifest', 'put', `${name}:${parseTag('9')}`, 'oci-archive:gone.tar']);
    assert.equal(tagged.exitCode, 2, tagged.stderr);
  });
});
