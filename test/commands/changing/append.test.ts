import assert from 'node:assert/strict';
import { chmod, link, lutimes, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openLayer } from '../../../src/image/layer.ts';
import { digestBytes } from '../../../src/model/digest.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { readContent } from '../../../src/registry/content.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { tarOf } from '../../support/layer.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';
import { app, buildDemoIndex, one, writes } from '../copy/places.ts';
import { imageAt, indexAt, startChanging } from './changed.ts';

const bytesOf = async (registry: Registry, layer: Descriptor) =>
  Buffer.from(await readContent(await registry.getBlob(app, layer), 1e8));

async function entriesOf(registry: Registry, layer: Descriptor) {
  const found: (readonly [path: string, type: string, mode: number, uid: number, seconds: number, linkname: string])[] =
    [];
  for await (const { entry } of await openLayer(layer, await registry.getBlob(app, layer))) {
    found.push([entry.path, entry.type, entry.mode, entry.uid, entry.mtime.seconds, entry.linkname]);
  }
  return found;
}

/** A directory with all that a layer may hold. */
async function makeDirectory(t: Scope): Promise<string> {
  const { home } = await sandbox(t);
  const root = join(home, 'tree');
  await mkdir(join(root, 'b', 'empty'), { recursive: true });
  await writeFile(join(root, 'b', 'file'), 'text');
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff])]), 'no UTF-8');
  await chmod(join(root, 'b', 'file'), 0o4755);
  await link(join(root, 'b', 'file'), join(root, 'c'));
  await symlink('/etc/passwd', join(root, 'a'));
  await lutimes(join(root, 'a'), 7, 7);
  for (const path of ['b/empty', 'b']) await chmod(join(root, path), 0o750);
  return root;
}

describe('ocictl append', () => {
  it('makes the same layer of the same directory', async (t) => {
    const { registry, name, run } = await startChanging(t);
    await makeDirectory(t);
    const words = ['append', '-f', 'tree', '--prefix', '/srv/', '--set-platform', 'linux/arm64'];
    const { digest } = await run(...words, '-t', `${name}:1`);
    const { view, config } = await imageAt(registry, digest);
    const [layer = assert.fail()] = view.layers;
    assert.deepEqual(await entriesOf(registry, layer), [
      ['srv/a', 'symlink', 0o777, 0, 0, '/etc/passwd'],
      ['srv/b/', 'directory', 0o750, 0, 0, ''],
      ['srv/b/empty/', 'directory', 0o750, 0, 0, ''],
      ['srv/b/file', 'file', 0o4755, 0, 0, ''],
      ['srv/c', 'link', 0o4755, 0, 0, 'srv/b/file'],
      ['srv/f\udcff', 'file', 0o644, 0, 0, ''],
    ]);
    const tar = gunzipSync(await bytesOf(registry, layer));
    assert.deepEqual(config.rootfs.diff_ids, [await digestBytes(tar)]);
    assert.deepEqual(
      [config.os, config.architecture, config.history],
      ['linux', 'arm64', [{ created_by: 'ocictl append' }]],
    );
    assert.equal((await run(...words, '-t', 'oci:other:1')).digest, digest);
    const owned = await run('append', '-f', 'tree', '--owner', '3000000:5', '--keep-times', '-t', `${name}:2`);
    const [kept = assert.fail()] = (await imageAt(registry, owned.digest)).view.layers;
    assert.deepEqual((await entriesOf(registry, kept))[0], ['a', 'symlink', 0o777, 3000000, 7, '/etc/passwd']);
  });

  it('takes archives as they are, or compresses them', async (t) => {
    const { registry, name, run } = await startChanging(t);
    const { home } = await sandbox(t);
    const tar = Buffer.from(
      await tarOf({ file: 'text'.repeat(1000), random: Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))) }),
    );
    const gz = gzipSync(tar, { level: 1 });
    await writeFile(join(home, 'a.tar'), tar);
    await writeFile(join(home, 'a.tar.gz'), gz);
    const base = await buildImage({ layers: [{ files: { base: 'b' } }] });
    await pushImage(registry, app, one, base);
    const words = ['append', `${name}:1`, '-f', 'a.tar', '-f', 'a.tar.gz', '-t', `${name}:2`, '--base-annotations'];
    const { digest } = await run(...words);
    const { view, config } = await imageAt(registry, digest);
    const [first, plain = assert.fail(), packed = assert.fail()] = view.layers;
    assert.equal(first?.digest, base.layers[0]?.descriptor.digest);
    assert.deepEqual(await bytesOf(registry, packed), gz);
    assert.deepEqual(gunzipSync(await bytesOf(registry, plain)), tar);
    assert.deepEqual(config.rootfs.diff_ids.slice(1), [await digestBytes(tar), await digestBytes(tar)]);
    assert.deepEqual(config.history.length, 3);
    assert.deepEqual(view.annotations, {
      'org.opencontainers.image.base.name': `${name}:1`,
      'org.opencontainers.image.base.digest': base.descriptor.digest,
    });
    const none = await ocictl(t, ['append', '-f', '-', '--compress', 'none', '-t', `${name}:3`], { input: tar });
    const { view: stored } = await imageAt(registry, none.stdout.trim() as never);
    assert.deepEqual(
      [stored.layers[0]?.digest, stored.layers[0]?.mediaType],
      [await digestBytes(tar), mediaTypes.ociLayer],
    );
    const again = await run('append', '-f', 'a.tar.gz', '--compress', 'gzip:9', '-t', `${name}:3`);
    const [repacked] = (await imageAt(registry, again.digest)).view.layers;
    assert.notEqual(repacked?.digest, packed.digest);
  });

  it('adds one layer to all images of an index, in the format of each, and history only where there is some', async (t) => {
    const { registry, name, run } = await startChanging(t);
    await makeDirectory(t);
    await pushImage(registry, app, one, (await buildDemoIndex()).index);
    const { digest } = await run('append', `${name}:1`, '-f', 'tree', '-t', `${name}:2`);
    const { view } = await indexAt(registry, digest);
    const layers = await Promise.all(
      view.manifests.map(async (entry) => (await imageAt(registry, entry.digest)).view.layers),
    );
    assert.deepEqual(
      layers.map(({ length }) => length),
      [4, 4, 4],
    );
    assert.equal(new Set(layers.map((some) => some.at(-1)?.digest)).size, 1);
    const docker = await buildImage({ layers: [{ files: { a: 'a' } }], format: 'docker' });
    await pushImage(registry, app, one, docker);
    const added = await run('append', `${name}:1`, '-f', 'tree', '-t', `${name}:3`);
    const { view: image } = await imageAt(registry, added.digest);
    assert.deepEqual(
      image.layers.map(({ mediaType }) => mediaType),
      [mediaTypes.dockerLayer, mediaTypes.dockerLayer],
    );
  });

  it('refuses what is no layer before anything is written', async (t) => {
    const { registry, name, proxy } = await startChanging(t);
    const { home } = await sandbox(t);
    await pushImage(registry, app, one, await buildImage({ layers: [], format: 'docker' }));
    const tar = Buffer.from(await tarOf({ file: 'text'.repeat(1000) }));
    await writeFile(join(home, 'text.tar'), 'this is no tar archive'.repeat(100));
    await writeFile(join(home, 'cut.tar'), tar.subarray(0, 1024));
    await writeFile(join(home, 'cut.tar.gz'), gzipSync(tar).subarray(0, 60));
    await writeFile(join(home, 'x.tar.xz'), Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]));
    await writeFile(join(home, 'good.tar'), tar);
    const refused: readonly (readonly [words: readonly string[], status: number, said: RegExp])[] = [
      [['-f', 'text.tar'], 7, /is no tar archive/],
      [['-f', 'good.tar', '-f', 'cut.tar'], 7, /cut off/],
      [['-f', 'cut.tar.gz'], 7, /damaged|cut off/],
      [['-f', 'x.tar.xz'], 1, /compressed with xz/],
      [['-f', 'absent'], 2, /there is no file absent/],
      [[], 2, /no layer to add/],
      [['-f', 'good.tar', '--owner', 'root'], 2, /takes UID:GID/],
      [['-f', 'good.tar', '--prefix', '../x'], 2, /leads out/],
    ];
    for (const [words, status, said] of refused) {
      const { exitCode, stderr } = await ocictl(t, ['append', `${name}:1`, '-t', `${name}:2`, ...words]);
      assert.equal(exitCode, status, `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, said);
    }
    assert.deepEqual(writes(proxy), []);
    assert.ok((await readFile(join(home, 'good.tar'))).length > 0);
  });
});
