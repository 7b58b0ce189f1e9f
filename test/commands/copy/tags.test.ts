import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { type BuiltImage, buildImage, pushImage } from '../../support/images.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

const app = parseRepositoryName('team/app');
const names = ['1', '2', 'latest'];

/** A registry with three images under three tags. */
async function startSource(t: TestContext) {
  const served = await startServe(t);
  const images = new Map<string, BuiltImage>();
  for (const name of names) {
    const image = await buildImage({ layers: [{ files: { name } }] });
    await pushImage(served.registry, app, parseTag(name), image);
    images.set(name, image);
  }
  return { ...served, images };
}

describe('ocictl copy --all-tags', () => {
  it('copies every tag, and prints each as it is there', async (t) => {
    const [from, to] = [await startSource(t), await startServe(t)];
    const { exitCode, stdout, stderr } = await ocictl(t, [
      ...['copy', '--all-tags', `${from.host}/team/app`],
      `${to.host}/mirror/app`,
    ]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(
      stdout.trimEnd().split('\n'),
      names.map((name) => `${to.host}/mirror/app:${name}`),
    );
    const mirror = parseRepositoryName('mirror/app');
    for (const [name, { descriptor }] of from.images) {
      assert.equal((await to.registry.statManifest(mirror, parseTag(name))).digest, descriptor.digest);
    }
  });

  it('goes into a layout and out of it again', async (t) => {
    const [from, to] = [await startSource(t), await startServe(t)];
    const layout = join((await sandbox(t)).home, 'layout');
    const there = await ocictl(t, ['copy', '--all-tags', `${from.host}/team/app`, `oci:${layout}`]);
    assert.equal(there.stdout, names.map((name) => `oci:${layout}:${name}\n`).join(''), there.stderr);
    const back = await ocictl(t, ['copy', '--all-tags', '--json', `oci:${layout}`, `${to.host}/team/app`]);
    assert.equal(back.exitCode, 0, back.stderr);
    const digests = back.stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { digest: string }).digest);
    assert.deepEqual(
      digests.sort(),
      [...from.images.values()].map(({ descriptor }) => descriptor.digest as string).sort(),
    );
  });

  it('goes on after a bad tag, and names it at the end', async (t) => {
    const [from, to] = [await startSource(t), await startServe(t)];
    const proxy = await startFaultProxy(t, from.url);
    const bad = from.images.get('2')?.descriptor.digest;
    proxy.fail({ path: new RegExp(`/manifests/${bad}$`), flipByteAt: 3, method: 'GET' });
    const { exitCode, stdout, stderr } = await ocictl(t, [
      ...['copy', '--all-tags', `${proxy.host}/team/app`],
      `${to.host}/team/app`,
    ]);
    assert.equal(exitCode, 8);
    assert.equal(stdout, ['1', 'latest'].map((name) => `${to.host}/team/app:${name}\n`).join(''));
    assert.match(stderr, new RegExp(`^${proxy.host}/team/app:2: `, 'm'));
    assert.match(stderr, /^error: 1 of 3 tags could not be copied: 2$/m);
  });

  it('keeps existing tags with --if-absent, and copies the rest', async (t) => {
    const [from, to] = [await startSource(t), await startServe(t)];
    const other = await buildImage({ layers: [{ files: { other: 'image' } }] });
    await pushImage(to.registry, app, parseTag('1'), other);
    const words = ['copy', '--all-tags', '--if-absent', `${from.host}/team/app`, `${to.host}/team/app`];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 8);
    assert.match(stderr, /^error: 1 of 3 tags could not be copied: 1$/m);
    assert.equal((await to.registry.statManifest(app, parseTag('1'))).digest, other.descriptor.digest);
    assert.ok(await to.registry.statManifest(app, parseTag('latest')));
  });

  it('takes repositories alone, and wants another place', async (t) => {
    const from = await startSource(t);
    const source = `${from.host}/team/app`;
    const run = async (...words: string[]) => ocictl(t, ['copy', '--all-tags', ...words]);
    for (const words of [
      [`${source}:1`, `${from.host}/b`],
      [source, `${from.host}/b:1`],
      [source, source],
    ]) {
      assert.equal((await run(...words)).exitCode, 2, words.join(' '));
    }
    assert.equal((await run(`${from.host}/nothing`, `${from.host}/b`)).exitCode, 3);
  });

  it('refuses to replace tags of a layout that another repository may have given it, before anything moves', async (t) => {
    const [from, other] = [await startSource(t), await startServe(t)];
    const built = await buildImage({ layers: [{ files: { other: 'repository' } }] });
    for (const name of ['0', 'latest']) await pushImage(other.registry, app, parseTag(name), built);
    const copyAll = (source: string, ...words: string[]) =>
      ocictl(t, ['copy', '--all-tags', `${source}/team/app`, ...words]);
    const digestOf = async (name: string) => (await ocictl(t, ['digest', name])).stdout.trim();
    assert.equal((await copyAll(from.host, 'oci:all')).exitCode, 0);
    const again = await copyAll(from.host, 'oci:all');
    assert.equal(again.exitCode, 0, again.stderr);
    const refused = await copyAll(other.host, 'oci:all');
    assert.deepEqual([refused.exitCode, refused.stdout], [9, '']);
    assert.match(refused.stderr, /^error: oci:all has other images under these tags: latest$/m);
    const inFull = `oci:all:${other.host}/team/app`;
    assert.ok(refused.stderr.includes(`${inFull}; --replace overwrites them`), refused.stderr);
    assert.equal((await ocictl(t, ['tags', 'oci:all'])).stdout, names.map((name) => `${name}\n`).join(''));

    const named = await copyAll(other.host, inFull);
    assert.equal(named.stdout, `${inFull}:0\n${inFull}:latest\n`, named.stderr);
    assert.equal(await digestOf(`${inFull}:latest`), built.descriptor.digest);
    assert.equal(await digestOf('oci:all:latest'), from.images.get('latest')?.descriptor.digest);

    const replaced = await copyAll(other.host, 'oci:all', '--replace');
    assert.equal(replaced.exitCode, 0, replaced.stderr);
    assert.equal(await digestOf('oci:all:latest'), built.descriptor.digest);
  });

  it('accepts --replace only with --all-tags, and not with --if-absent', async (t) => {
    for (const words of [['--replace'], ['--all-tags', '--replace', '--if-absent']]) {
      assert.equal((await ocictl(t, ['copy', ...words, 'registry.invalid/a', 'oci:b'])).exitCode, 2);
    }
  });
});
