import assert from 'node:assert/strict';
import { link, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { documentIn, namesIn, sumOf } from '../../support/images/archives.ts';
import { type Built, buildImage, pushImage } from '../../support/images.ts';
import { type BuiltLayer, buildLayer, randomLayer } from '../../support/layer.ts';
import { keepImage } from '../../support/local-store.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, buildDemoIndex, one, two } from '../copy/places.ts';

interface Base {
  readonly version: number;
  readonly blobs: readonly { readonly digest: string; readonly size: number }[];
}

/** Two images of ten layers that differ in one of them. */
async function tenLayers(bytes: number): Promise<{ before: Built; after: Built; changed: BuiltLayer }> {
  const same = await Promise.all(Array.from({ length: 9 }, (_, i) => randomLayer(bytes / 10, `same-${i}`)));
  const changed = await randomLayer(bytes, 'after');
  const before = await buildImage({ layers: [...same, await randomLayer(bytes, 'before')] });
  return { before, after: await buildImage({ layers: [...same, changed] }), changed };
}

async function saved(t: TestContext, words: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await ocictl(t, ['save', '-o', 'a.tar', ...words]);
  assert.equal(exitCode, 0, stderr);
  return join((await sandbox(t)).home, 'a.tar');
}

const pathOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

describe('ocictl save --since', () => {
  it('leaves out the layers of the image before, and says so in the archive', async (t) => {
    const { before, after, changed } = await tenLayers(10 * 1024 * 1024);
    await keepImage(t, 'app:1', before);
    await keepImage(t, 'app:2', after);
    const file = await saved(t, ['--since', 'app:1', 'app:2']);
    const { size } = await stat(file);
    assert.ok(size <= 1.05 * changed.descriptor.size, `${size} bytes`);
    const names = await namesIn(file);
    assert.ok(names.includes(pathOf(after.descriptor.digest)));
    assert.ok(names.includes(pathOf(changed.descriptor.digest)));
    const { version, blobs } = await documentIn<Base>(file, 'ocictl-base.json');
    assert.equal(version, 1);
    assert.equal(blobs.length, 9);
    for (const { digest, size: bytes } of blobs) {
      assert.ok(!names.includes(pathOf(digest)));
      assert.ok(before.blobs.some(({ descriptor }) => descriptor.digest === digest && descriptor.size === bytes));
    }
    assert.equal(await sumOf(file), await sumOf(await saved(t, ['--since', 'app:1', 'app:2'])));
  });

  it('asks a repository, a layout or an archive for each blob, and reads a receipt', async (t) => {
    const { registry, host } = await startServe(t);
    const { home } = await sandbox(t);
    const shared = await buildLayer({ files: { shared: 'the same' } });
    const before = await buildImage({ layers: [shared, { files: { before: '' } }] });
    const after = await buildImage({ layers: [shared, { files: { after: '' } }] });
    await pushImage(registry, app, one, before);
    await keepImage(t, 'app:1', before);
    await keepImage(t, 'app:2', after);
    await ocictl(t, ['copy', 'store:app:1', 'oci:layout:1']);
    await ocictl(t, ['copy', 'store:app:1', 'oci-archive:before.tar:1']);
    const digests = [...before.blobs, before].map(({ descriptor }) => descriptor.digest);
    const receipt = { version: 1, repositories: { 'docker.io/library/app': digests } };
    await writeFile(join(home, 'receipt.json'), JSON.stringify(receipt));
    const bases = [
      `${host}/${app}`,
      `${host}/${app}:1`,
      'oci:layout',
      'oci:layout:1',
      'oci-archive:before.tar',
      'store:app:1',
      'receipt.json',
    ];
    for (const base of bases) {
      const { blobs } = await documentIn<Base>(await saved(t, ['--since', base, 'app:2']), 'ocictl-base.json');
      assert.deepEqual(blobs, [{ digest: shared.descriptor.digest, size: shared.descriptor.size }], base);
    }
  });

  it('counts the images of an index', async (t) => {
    const { registry, host } = await startServe(t);
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    await pushImage(registry, app, two, arm64);
    const file = await saved(t, ['--since', `${host}/${app}:1`, `${host}/${app}:2`]);
    const { blobs } = await documentIn<Base>(file, 'ocictl-base.json');
    assert.equal(blobs.length, arm64.blobs.length);
  });

  it('says what it could not read', async (t) => {
    const { host } = await startServe(t);
    const { home } = await sandbox(t);
    await keepImage(t, 'app:1', await buildImage({ layers: [] }));
    await writeFile(join(home, 'other.json'), '{}');
    const attempt = (base: string) => ocictl(t, ['save', '--since', base, '-o', 'a.tar', 'app:1']);
    assert.equal((await attempt(`${host}/team/absent:1`)).exitCode, 3);
    assert.equal((await attempt('oci:absent')).exitCode, 3);
    const noReceipt = await attempt('other.json');
    assert.equal(noReceipt.exitCode, 7, noReceipt.stderr);
    // A repository that is not there yet has no blob.
    const file = await saved(t, ['--since', `${host}/team/absent`, 'app:1']);
    assert.deepEqual((await documentIn<Base>(file, 'ocictl-base.json')).blobs, []);
  });

  it('takes the name of a file that is not there for no image, and asks for nothing', async (t) => {
    await keepImage(t, 'team/app:1', await buildImage({ layers: [] }));
    const { exitCode, stderr } = await ocictl(t, ['save', '-o', 'a.tar', '--since', 'absent.json', 'team/app:1']);
    assert.deepEqual(
      [exitCode, /there is no receipt absent\.json\nhint: check the path/.test(stderr)],
      [2, true],
      stderr,
    );
    assert.deepEqual(await readdir((await sandbox(t)).home).then((names) => names.includes('a.tar')), false);
  });

  it('is not written over what is read: a receipt, an archive, or a link to one', async (t) => {
    const { home } = await sandbox(t);
    await keepImage(t, 'app:1', await buildImage({ layers: [{ files: { a: 'a' } }] }));
    await saved(t, ['app:1']);
    const receipt = '{"version":1,"repositories":{}}';
    await writeFile(join(home, 'r'), receipt);
    await symlink('r', join(home, 'soft'));
    await link(join(home, 'r'), join(home, 'hard'));
    await symlink('a.tar', join(home, 'b.tar'));
    const archive = await readFile(join(home, 'a.tar'));
    for (const words of [
      ['--since', 'r', '-o', 'r', 'app:1'],
      ['--since', 'r', '-o', 'soft', 'app:1'],
      ['--since', 'hard', '-o', 'r', 'app:1'],
      ['--since', 'oci-archive:b.tar', '-o', 'a.tar', 'app:1'],
      ['-o', 'b.tar', 'oci-archive:a.tar'],
    ]) {
      const { exitCode, stderr } = await ocictl(t, ['save', ...words]);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, /^error: .* is read, and would be replaced by the archive\nhint: /);
    }
    assert.equal(await readFile(join(home, 'r'), 'utf8'), receipt);
    assert.ok((await readFile(join(home, 'a.tar'))).equals(archive));
    assert.deepEqual(
      (await readdir(home)).filter((name) => name.startsWith('.ocictl')),
      [],
    );
  });
});
