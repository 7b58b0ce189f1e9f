import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ImageFiles } from '../../../src/image/image-files.ts';
import { ImageLayers } from '../../../src/image/layers/image-layers.ts';
import { type NewEntry, type TarPart, writeTar } from '../../../src/image/tar/write.ts';
import type { TreeNode } from '../../../src/image/tree/node.ts';
import { walk } from '../../../src/image/tree/walk.ts';
import { type Digest, digestBytes } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { type BuiltLayer, buildBlob } from '../../support/layer.ts';
import { app, one, writes } from '../copy/places.ts';
import { imageAt, startChanging } from './changed.ts';

type Entry = readonly [path: string, content?: string, more?: Partial<NewEntry>];

/** A layer of entries, as they are: `dir/`, `link -> target`, `hard => target`, `.wh.x`. */
async function layerOf(...entries: readonly Entry[]): Promise<BuiltLayer> {
  const parts = entries.map(([path, content = '', more]): TarPart => {
    const [name = '', symlink] = path.split(' -> ');
    const [hard = '', target] = name.split(' => ');
    if (symlink !== undefined) return { entry: { path: name, type: 'symlink', linkname: symlink, ...more } };
    if (target !== undefined) return { entry: { path: hard, type: 'link', linkname: target, ...more } };
    if (path.endsWith('/')) return { entry: { path, type: 'directory', ...more } };
    const bytes = Buffer.from(content);
    return { entry: { path, type: 'file', size: bytes.length, ...more }, content: [bytes] };
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(parts)) chunks.push(Uint8Array.from(chunk));
  const tar = Buffer.concat(chunks);
  return { ...(await buildBlob(tar, mediaTypes.ociLayer)), diffId: await digestBytes(tar) };
}

/** What a container would see, with the names that share a file. */
async function seen(registry: Registry, digest: Digest): Promise<readonly string[]> {
  const { view } = await imageAt(registry, digest);
  using layers = new ImageLayers({ registry, repo: app, layers: view.layers });
  const files = new ImageFiles({ layers, name: 'it' });
  const { root } = await files.tree();
  const nodes = [...walk(root, { deep: true })];
  const first = new Map<unknown, string>();
  const contents = new Map<TreeNode, string>();
  const withContent = new Map(nodes.map(({ node }) => [node.inode, node]));
  const regular = [...withContent.values()].filter(({ inode }) => inode.entry.type === 'file' && inode.entry.size > 0);
  for await (const { node, reading } of files.contents(regular)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
    contents.set(node, Buffer.concat(chunks).toString());
  }
  return nodes.map(({ path, node }) => {
    const { type, mode, uid, mtime, linkname, xattrs } = node.inode.entry;
    if (!first.has(node.inode)) first.set(node.inode, path);
    const content = contents.get(withContent.get(node.inode) ?? node);
    return JSON.stringify([path, type, mode, uid, mtime, linkname, [...xattrs], content, first.get(node.inode)]);
  });
}

/** Layers on each other that try everything. */
const hostile: readonly (readonly Entry[])[] = [
  [
    ['etc/', '', { mode: 0o700, uid: 5 }],
    ['etc/passwd', 'root'],
    ['etc/old', 'old'],
    ['dir/'],
    ['dir/a', 'a'],
    ['dir/sub/'],
    ['dir/sub/x', 'x'],
    ['one', 'shared', { mtime: { seconds: 7, nanoseconds: 5 } }],
    ['two => one'],
    ['three => one'],
    ['lib -> usr/lib'],
    ['usr/lib/'],
    ['usr/lib/so', 'so'],
    ['becomes-dir', 'file'],
    ['becomes-file/'],
    ['becomes-file/in', 'in'],
    ['link-dir -> dir'],
  ],
  [
    ['.wh.one'],
    ['etc/.wh.old'],
    ['dir/.wh..wh..opq'],
    ['dir/'],
    ['dir/new', 'new'],
    ['becomes-dir/'],
    ['becomes-dir/in', 'in'],
    ['becomes-file', 'now a file'],
    ['lib/more', 'through the link'],
    ['four => two', '', { uid: 9 }],
  ],
  [
    ['.wh.three'],
    ['three', 'again'],
    ['.wh.link-dir'],
    ['link-dir/'],
    ['link-dir/real', 'r'],
    ['five => four'],
    ['.wh.becomes-dir'],
    ['dir/sub/'],
    ['attr', 'x', { xattrs: new Map([['user.a', Buffer.from([0xff, 0])]]) }],
  ],
];

async function startHostile(t: Parameters<typeof startChanging>[0]) {
  const place = await startChanging(t);
  const image = await buildImage({ layers: await Promise.all(hostile.map((entries) => layerOf(...entries))) });
  await pushImage(place.registry, app, one, image);
  return { ...place, image, before: await seen(place.registry, image.descriptor.digest) };
}

describe('ocictl flatten and squash', () => {
  it('make one layer of all, with what a container sees, twice the same', async (t) => {
    const { registry, name, run, before, image } = await startHostile(t);
    const { digest } = await run('flatten', `${name}:1`, '-t', `${name}:2`);
    const { view, config } = await imageAt(registry, digest);
    assert.equal(view.layers.length, 1);
    assert.deepEqual(await seen(registry, digest), before);
    assert.deepEqual(config.history, [{ created: '2026-01-01T00:00:00Z', created_by: 'ocictl flatten' }]);
    assert.deepEqual(config.config, (await imageAt(registry, image.descriptor.digest)).config.config);
    assert.equal((await run('flatten', `${name}:1`, '-t', 'oci:flat:1')).digest, digest);
    assert.equal((await run('flatten', `${name}:2`, '-t', `${name}:3`)).digest, digest, 'one layer stays as it is');
  });

  for (const from of [2, 1]) {
    it(`make one layer of those from ${from} on, and leave those below`, async (t) => {
      const { registry, name, run, before, image } = await startHostile(t);
      const { digest } = await run(
        'squash',
        `${name}:1`,
        '--from',
        String(from),
        '-t',
        `${name}:2`,
        '--compress',
        'none',
      );
      const { view, config } = await imageAt(registry, digest);
      assert.equal(view.layers.length, from);
      assert.equal(config.rootfs.diff_ids.length, from);
      assert.equal(config.history.length, from);
      if (from > 1) assert.equal(view.layers[0]?.digest, image.layers[0]?.descriptor.digest);
      assert.deepEqual(await seen(registry, digest), before);
    });
  }

  it('write no more than what changed', async (t) => {
    const { registry, name, run } = await startChanging(t);
    const [base, change, undo] = [
      await layerOf(['a', 'a'], ['b/'], ['b/c', 'c'], ['d/'], ['d/e', 'e']),
      await layerOf(['tmp', 'x'.repeat(100_000)], ['b/.wh.c'], ['.wh.d']),
      await layerOf(['.wh.tmp'], ['f', 'f']),
    ];
    const image = await buildImage({ layers: [base, change, undo] });
    await pushImage(registry, app, one, image);
    const { digest } = await run('squash', `${name}:1`, '--from', '2', '-t', `${name}:2`, '--compress', 'none');
    const { view } = await imageAt(registry, digest);
    using layers = new ImageLayers({ registry, repo: app, layers: view.layers });
    const paths = (await layers.entries(1)).map(({ path }) => path);
    assert.deepEqual(paths, ['.wh.d', 'b/.wh.c', 'f']);
  });

  it('refuse layers that nobody can read, and numbers that there are not, and write nothing', async (t) => {
    const { registry, name, proxy } = await startChanging(t);
    const layer = await layerOf(['a', 'a']);
    const secret = { ...layer, descriptor: { ...layer.descriptor, mediaType: `${mediaTypes.ociLayer}+encrypted` } };
    const bad = await buildBlob('no tar archive', mediaTypes.ociLayer);
    await pushImage(registry, app, one, await buildImage({ layers: [layer, secret] }));
    const broken = { ...bad, diffId: bad.descriptor.digest };
    const { descriptor } = await pushImage(
      registry,
      app,
      undefined,
      await buildImage({ layers: [layer, broken] }),
    ).then(async (pushed) => registry.getManifest(app, pushed.digest));
    const refused: readonly (readonly [words: readonly string[], status: number, said: RegExp])[] = [
      [['flatten', `${name}:1`], 1, /layer 2 of the image, sha256:\w+, cannot be read: it is encrypted/],
      [['squash', `${name}:1`, '--from', '3'], 2, /has 2 layers, and no layer 3/],
      [['squash', `${name}:1`], 2, /squash needs --from/],
      [['flatten', `${name}@${descriptor.digest}`], 7, /is no tar archive/],
    ];
    for (const [words, status, said] of refused) {
      const { exitCode, stderr } = await ocictl(t, [...words, '-t', `${name}:2`]);
      assert.equal(exitCode, status, stderr);
      assert.match(stderr, said);
    }
    assert.deepEqual(writes(proxy), []);
    const mutated = await ocictl(t, ['mutate', `${name}:1`, '-t', `${name}:2`, '--label', 'a=b']);
    assert.equal(mutated.exitCode, 0, 'encrypted layers are copied');
  });
});
