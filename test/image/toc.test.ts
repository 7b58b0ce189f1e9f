import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diffFiles } from '../../src/image/diff.ts';
import { KeptEntries } from '../../src/image/layers/kept-entries.ts';
import { walk } from '../../src/image/tree/walk.ts';
import { type CountedLayer, contentOf, type LayerBytes, openCounted } from '../support/images/counted-layer.ts';
import { type SeekableOptions, seekableLayer } from '../support/images/seekable-layer.ts';
import { randomBytes } from '../support/layer.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const files: Record<string, Uint8Array | string> = { 'd/': '', '.no.prefetch.landmark': 'x', empty: '' };
for (let i = 0; i < 60; i += 1) files[`d/${i}`] = Buffer.concat([...randomBytes(100_000, String(i))]);

for (const format of ['estargz', 'zstd:chunked'] as const) {
  describe(`a layer in ${format}`, () => {
    const made = (options: Omit<SeekableOptions, 'format'> = {}): Promise<LayerBytes> =>
      seekableLayer(files, { ...options, format });

    for (const [name, options] of [
      ['whole files', {}],
      ['parts of files', { partBytes: 30_000 }],
    ] as const) {
      it(`gives a file by ranges, from ${name}`, async () => {
        const layer = await made(options);
        const opened = openCounted(layer);
        assert.ok((await contentOf(opened, 'd/17')).equals(Buffer.from(files['d/17'] ?? '')));
        assert.equal((await contentOf(opened, 'empty')).length, 0);
        assert.deepEqual(opened.notes, []);
        assert.ok(opened.read() < layer.descriptor.size / 10, `${opened.read()} of ${layer.descriptor.size}`);
      });
    }

    it('of 1000 files gives one for less than 2 % of it', async () => {
      const many: Record<string, Uint8Array> = {};
      const content = Buffer.concat([...randomBytes(64 * 1024, 'many')]);
      for (let i = 0; i < 1000; i += 1) {
        content.writeUInt32LE(i, 1000);
        many[`d/${i}`] = Buffer.from(content);
      }
      const opened = openCounted(await seekableLayer(many, { format }));
      assert.ok((await contentOf(opened, 'd/777')).equals(many['d/777'] ?? Buffer.alloc(0)));
      const share = opened.read() / opened.layer.descriptor.size;
      assert.ok(share < 0.02, `${opened.read()} bytes, ${(share * 100).toFixed(2)} %`);
    });

    it('gives files that follow each other in one range, and others in one each', async () => {
      const opened = openCounted(await made({ partBytes: 30_000 }));
      await opened.image.tree();
      for (const [names, ranges] of [
        [['d/3', 'd/4', 'd/5'], 1],
        [['d/59', 'd/7', 'd/30'], 3],
      ] as const) {
        const nodes = await Promise.all(names.map((name) => opened.image.find(name, { follow: true })));
        const [from, got] = [opened.ranges(), new Map<string, Buffer>()];
        for await (const { node, reading } of opened.image.contents(nodes)) {
          const chunks: Uint8Array[] = [];
          for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
          got.set(`d/${node.name}`, Buffer.concat(chunks));
        }
        for (const name of names) assert.ok(got.get(name)?.equals(Buffer.from(files[name] ?? '')), name);
        assert.equal(opened.ranges() - from, ranges);
      }
    });

    it('passes over a file that is not read, and over the rest of one', async () => {
      const opened = openCounted(await made({ partBytes: 30_000 }));
      const nodes = [];
      for (const name of ['d/3', 'd/4', 'd/5']) nodes.push(await opened.image.find(name, { follow: true }));
      for await (const { node, reading } of opened.image.contents(nodes)) {
        if (node.name === '3') for await (const _ of reading.content()) break;
        if (node.name !== '5') continue;
        const chunks: Uint8Array[] = [];
        for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
        assert.ok(Buffer.concat(chunks).equals(Buffer.from(files['d/5'] ?? '')));
      }
    });

    it('is compared by the digests in its table', async () => {
      const content = Buffer.concat([...randomBytes(100_000, 'other')]);
      const sides = [
        openCounted(await made()),
        openCounted(await seekableLayer({ ...files, 'd/17': content }, { format })),
      ];
      const [a, b] = sides.map(({ image, layer }) => ({ files: image, layers: [layer.descriptor] }));
      const changes = await diffFiles(a ?? assert.fail(), b ?? assert.fail());
      assert.deepEqual(
        changes.map(({ path, differs }) => [path, differs]),
        [['/d/17', ['content']]],
      );
      for (const { read } of sides) assert.ok(read() < 200_000, `${read()} bytes`);
    });

    it('gives a file by ranges, although its entries were kept before', async (t) => {
      const layer = await made();
      const kept = new KeptEntries(await temporaryDirectory(t));
      const { descriptor } = layer;
      const whole = openCounted({ ...layer, descriptor: { ...descriptor, annotations: {} } }, kept);
      await contentOf(whole, 'd/17');
      whole.image.layers[Symbol.dispose]();
      assert.ok(kept.read(descriptor));
      const opened = openCounted(layer, kept);
      assert.ok((await contentOf(opened, 'd/17')).equals(Buffer.from(files['d/17'] ?? '')));
      assert.ok(opened.read() < descriptor.size / 10);
    });

    it('has the same files by its table as by its entries', async () => {
      const layer = await made();
      const [table, whole] = [
        openCounted(layer),
        openCounted({ ...layer, descriptor: { ...layer.descriptor, annotations: {} } }),
      ];
      const listed = async ({ image }: CountedLayer) =>
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
      'has a name that is no UTF-8': { forge: (rows) => Object.assign(rows[5] ?? {}, { name: 'd/\ufffd' }) },
      'has an unknown type': { forge: (rows) => Object.assign(rows[3] ?? {}, { type: 'odd' }) },
    };
    for (const [name, options] of Object.entries(forged)) {
      it(`is read as a whole if its table ${name}`, async () => {
        const opened = openCounted(await made(options));
        assert.ok((await contentOf(opened, 'd/17')).equals(Buffer.from(files['d/17'] ?? '')));
        assert.equal(opened.notes.length, 1);
      });
    }

    it('refuses a part that is not what the table says', async () => {
      const forge = (rows: Record<string, unknown>[]): void => {
        for (const row of rows) if (row['name'] === 'd/17') row['chunkDigest'] = `sha256:${'1'.repeat(64)}`;
      };
      await assert.rejects(contentOf(openCounted(await made({ forge })), 'd/17'), { code: 'DIGEST_MISMATCH' });
    });
  });
}
