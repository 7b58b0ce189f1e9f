import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ImageFiles } from '../../src/image/image-files.ts';
import { ImageLayers } from '../../src/image/layers/image-layers.ts';
import { KeptEntries } from '../../src/image/layers/kept-entries.ts';
import { walk } from '../../src/image/tree/walk.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import type { RepositoryName } from '../../src/model/reference/reference.ts';
import { bytesContent, readContent } from '../../src/registry/content.ts';
import type { GetBlobOptions, Registry } from '../../src/registry/registry.ts';
import { type SeekableOptions, seekableLayer } from '../support/images/seekable-layer.ts';
import { type BuiltLayer, randomBytes } from '../support/layer.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const files: Record<string, Uint8Array | string> = { 'd/': '', '.no.prefetch.landmark': 'x', empty: '' };
for (let i = 0; i < 60; i += 1) files[`d/${i}`] = Buffer.concat([...randomBytes(100_000, String(i))]);

interface Opened {
  readonly image: ImageFiles;
  readonly notes: string[];
  /** Bytes that were read of the layer. */
  readonly read: () => number;
}

async function open(layer: BuiltLayer, kept?: KeptEntries): Promise<Opened> {
  const bytes = await readContent(await layer.source.open(0), Number.MAX_SAFE_INTEGER);
  const notes: string[] = [];
  let count = 0;
  const registry = {
    async getBlob(_: RepositoryName, descriptor: Descriptor, { range }: GetBlobOptions = {}) {
      const part = bytes.subarray(range?.start ?? 0, range?.end);
      count += part.length;
      return bytesContent(descriptor, part);
    },
  } as unknown as Registry;
  const layers = new ImageLayers({
    registry,
    repo: 'app' as RepositoryName,
    layers: [layer.descriptor],
    tables: true,
    kept,
    reread: kept !== undefined,
    onNote: (text) => notes.push(text),
  });
  return { image: new ImageFiles({ layers, name: 'app' }), notes, read: () => count };
}

async function contentOf({ image }: Opened, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { reading } of image.contents([await image.find(path, { follow: true })])) {
    for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks);
}

for (const format of ['estargz', 'zstd:chunked'] as const) {
  describe(`a layer in ${format}`, () => {
    const made = (options: Omit<SeekableOptions, 'format'> = {}): Promise<BuiltLayer> =>
      seekableLayer(files, { ...options, format });

    for (const [name, options] of [
      ['whole files', {}],
      ['parts of files', { partBytes: 30_000 }],
    ] as const) {
      it(`gives a file by ranges, from ${name}`, async () => {
        const layer = await made(options);
        const opened = await open(layer);
        assert.ok((await contentOf(opened, 'd/17')).equals(Buffer.from(files['d/17'] ?? '')));
        assert.equal((await contentOf(opened, 'empty')).length, 0);
        assert.deepEqual(opened.notes, []);
        assert.ok(opened.read() < layer.descriptor.size / 10, `${opened.read()} of ${layer.descriptor.size}`);
      });
    }

    it('gives a file by ranges, although its entries were kept before', async (t) => {
      const layer = await made();
      const kept = new KeptEntries(await temporaryDirectory(t));
      const { descriptor } = layer;
      const whole = await open({ ...layer, descriptor: { ...descriptor, annotations: {} } }, kept);
      await contentOf(whole, 'd/17');
      whole.image.layers[Symbol.dispose]();
      assert.ok(kept.read(descriptor));
      const opened = await open(layer, kept);
      assert.ok((await contentOf(opened, 'd/17')).equals(Buffer.from(files['d/17'] ?? '')));
      assert.ok(opened.read() < descriptor.size / 10);
    });

    it('has the same files by its table as by its entries', async () => {
      const layer = await made();
      const [table, whole] = [
        await open(layer),
        await open({ ...layer, descriptor: { ...layer.descriptor, annotations: {} } }),
      ];
      const listed = async ({ image }: Opened) =>
        [...walk((await image.tree()).root, { deep: true })].map(({ path, node: { inode } }) => {
          const { type, size, mtime } = inode.entry;
          return [path, type, size, mtime.seconds];
        });
      const hidden = ['.no.prefetch.landmark', 'stargz.index.json'];
      const byEntries = (await listed(whole)).filter(([path]) => !hidden.includes(String(path)));
      assert.deepEqual(await listed(table), byEntries);
      assert.ok((await contentOf(whole, 'd/3')).equals(Buffer.from(files['d/3'] ?? '')));
    });

    const forged: Readonly<Record<string, Omit<SeekableOptions, 'format'>>> = {
      'is not what the manifest says': { claimed: `sha256:${'0'.repeat(64)}` },
      'is claimed by what is no digest': { claimed: 'nonsense' },
      'has a part of no file': {
        forge: (rows) => rows.unshift({ type: 'chunk', offset: 1, chunkSize: 1, chunkDigest: 'x' }),
      },
      'has a part behind its end': { forge: (rows) => Object.assign(rows[3] ?? {}, { offset: 2 ** 40 }) },
      'has a negative size': { forge: (rows) => Object.assign(rows[3] ?? {}, { size: -1 }) },
      'lacks a digest': { forge: (rows) => Object.assign(rows[3] ?? {}, { chunkDigest: undefined }) },
      'lacks a part': { forge: (rows) => Object.assign(rows[3] ?? {}, { size: 200_000 }) },
      'has an unknown type': { forge: (rows) => Object.assign(rows[3] ?? {}, { type: 'odd' }) },
    };
    for (const [name, options] of Object.entries(forged)) {
      it(`is read as a whole if its table ${name}`, async () => {
        const opened = await open(await made(options));
        assert.ok((await contentOf(opened, 'd/17')).equals(Buffer.from(files['d/17'] ?? '')));
        assert.equal(opened.notes.length, 1);
      });
    }

    it('refuses a part that is not what the table says', async () => {
      const forge = (rows: Record<string, unknown>[]): void => {
        for (const row of rows) if (row['name'] === 'd/17') row['chunkDigest'] = `sha256:${'1'.repeat(64)}`;
      };
      await assert.rejects(contentOf(await open(await made({ forge })), 'd/17'), { code: 'DIGEST_MISMATCH' });
    });
  });
}
