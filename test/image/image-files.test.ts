import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ImageFiles } from '../../src/image/image-files.ts';
import { ImageLayers } from '../../src/image/layers/image-layers.ts';
import { KeptEntries } from '../../src/image/layers/kept-entries.ts';
import { nameOf } from '../../src/image/tar/names.ts';
import { pathOf } from '../../src/image/tree/node.ts';
import { walk } from '../../src/image/tree/walk.ts';
import type { Digest } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import type { RepositoryName } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { tarLayer } from '../support/images/tar-layer.ts';
import type { BuiltLayer } from '../support/layer.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const layers = await Promise.all([
  tarLayer([
    [{ path: 'etc/', type: 'directory' }],
    [{ path: 'etc/base', type: 'file' }, 'base'],
    [{ path: 'lib', type: 'symlink', linkname: 'usr/lib' }],
    [{ path: `bad${nameOf(Buffer.from([0xff]))}`, type: 'file', mtime: { seconds: -1, nanoseconds: 5 } }, 'bad'],
    [{ path: 'caps', type: 'file', xattrs: new Map([['security.capability', Buffer.from([1, 0xff])]]) }, 'caps'],
  ]),
  tarLayer([
    [{ path: 'lib/implied', type: 'file' }, 'implied'],
    [{ path: 'hard', type: 'link', linkname: 'etc/base' }],
  ]),
  tarLayer([
    [{ path: 'etc/', type: 'directory' }],
    [{ path: 'etc/top', type: 'file' }, 'top'],
    [{ path: 'to-top', type: 'symlink', linkname: '/etc/top' }],
    [{ path: 'to-base', type: 'symlink', linkname: '/etc/base' }],
  ]),
]);

interface Counted {
  readonly files: ImageFiles;
  /** The layers that were opened, from 0. */
  readonly opened: number[];
}

function open(built: readonly BuiltLayer[], kept?: KeptEntries, reread = false): Counted {
  const opened: number[] = [];
  const registry = {
    async getBlob(_: RepositoryName, { digest }: Descriptor) {
      const at = built.findIndex(({ descriptor }) => descriptor.digest === digest);
      opened.push(at);
      return await (built[at] ?? assert.fail()).source.open(0);
    },
  } as unknown as Registry;
  const descriptors = built.map(({ descriptor }) => descriptor);
  const repo = 'app' as RepositoryName;
  const imageLayers = new ImageLayers({ registry, repo, layers: descriptors, kept, reread });
  return { files: new ImageFiles({ layers: imageLayers, name: 'app' }), opened };
}

async function textOf(files: ImageFiles, path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const { reading } of files.contents([await files.find(path, { follow: true })])) {
    for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks).toString();
}

describe('a file of an image', () => {
  const cases: Readonly<Record<string, readonly [content: string, layers: readonly number[]]>> = {
    'etc/top': ['top', [2]],
    'to-top': ['top', [2]],
    '/to-base': ['base', [2, 1, 0]],
    'lib/implied': ['implied', [2, 1, 0]],
    'usr/lib/implied': ['implied', [2, 1, 0]],
    hard: ['base', [2, 1, 0]],
  };
  for (const [path, [content, read]] of Object.entries(cases)) {
    it(`${path} is read from as few layers as tell what it is`, async () => {
      const { files, opened } = open(layers);
      const node = await files.find(path, { follow: true });
      assert.deepEqual([...new Set(opened)].sort(), [...read].sort());
      assert.equal(await textOf(files, path), content);
      assert.equal(node.inode.entry.type, 'file');
    });
  }

  it('comes once from a registry, entries and content', async () => {
    const { files, opened } = open(layers, undefined, true);
    assert.equal(await textOf(files, 'to-top'), 'top');
    assert.deepEqual(opened, [2]);
    files.layers[Symbol.dispose]();
  });

  it('that is not there is an error with the nearest names', async () => {
    const { files } = open(layers);
    await assert.rejects(files.find('/etc/bsae', { follow: true }), {
      code: 'FILE_UNKNOWN',
      message: 'app has no "/etc/bsae"',
      hint: 'there is "/etc/base"',
    });
    await assert.rejects(files.find('caps/x', { follow: true }), {
      code: 'FILE_UNKNOWN',
      message: /is not a directory/,
    });
  });
});

describe('what was learned of layers', () => {
  const listed = async ({ files }: Counted): Promise<unknown[]> => {
    const { root } = await files.tree();
    return [...walk(root, { deep: true })].map(({ path, node }) => [path, node.inode.entry]);
  };

  it('is kept, and then no layer is read', async (t) => {
    const directory = await temporaryDirectory(t);
    const [first, second] = [open(layers, new KeptEntries(directory)), open(layers, new KeptEntries(directory))];
    const expected = await listed(first);
    assert.deepEqual(await listed(second), expected);
    assert.deepEqual([first.opened.length, (await readdir(join(directory, 'layers'))).length], [3, 3]);
    const third = open(layers, new KeptEntries(directory));
    await listed(third);
    assert.deepEqual(third.opened, []);
    assert.equal(pathOf(await third.files.find('hard', { follow: true })), 'hard');
  });

  it('is not taken if it is damaged, of another layer or another format', async (t) => {
    const directory = await temporaryDirectory(t);
    await listed(open(layers, new KeptEntries(directory)));
    const nameOfLayer = (at: number): string => String(layers[at]?.descriptor.digest).replace(':', '-');
    const path = (at: number): string => join(directory, 'layers', nameOfLayer(at));
    const [one, two, three] = [await readFile(path(0)), await readFile(path(1)), await readFile(path(2))];
    one[one.length - 9] = (one[one.length - 9] ?? 0) ^ 1;
    await writeFile(path(0), one);
    await writeFile(path(1), three);
    await writeFile(path(2), two.toString('latin1').replace('"format":1', '"format":9'), 'latin1');
    const again = open(layers, new KeptEntries(directory));
    await listed(again);
    assert.deepEqual([...again.opened].sort(), [0, 1, 2]);
  });

  it('is not kept of a layer that was not read to its end, or in a directory of others', async (t) => {
    const directory = await temporaryDirectory(t);
    const broken = { ...(layers[0] as BuiltLayer) };
    const { descriptor, source } = broken;
    const cut: BuiltLayer = {
      ...broken,
      source: {
        open: async () => ({
          ...(await source.open(0)),
          async *[Symbol.asyncIterator]() {
            yield Buffer.alloc(5);
          },
        }),
      },
    };
    await assert.rejects(open([cut], new KeptEntries(directory)).files.tree());
    assert.equal(new KeptEntries(directory).read(descriptor), undefined);
    const shared = join(directory, 'shared');
    await mkdir(join(shared, 'layers'), { recursive: true, mode: 0o777 });
    new KeptEntries(shared).write(descriptor, 'sha256:0' as Digest, []);
    assert.deepEqual(await readdir(join(shared, 'layers')), []);
  });
});
