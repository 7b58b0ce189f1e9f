import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentOf, openCounted } from '../support/images/counted-layer.ts';
import { seekableLayer } from '../support/images/seekable-layer.ts';
import { randomBytes } from '../support/layer.ts';

const fileBytes = 1_100_000;

describe('a file of a megabyte in a layer of a gigabyte with 1000 files', { timeout: 1_200_000 }, () => {
  for (const format of ['zstd:chunked', 'estargz'] as const) {
    it(`comes for less than 2 % of the layer from ${format}`, async (t) => {
      const content = Buffer.concat([...randomBytes(fileBytes, format)]);
      const of = (i: number): Buffer => {
        const bytes = Buffer.from(content);
        bytes.writeUInt32LE(i, 1000);
        return bytes;
      };
      const files: Record<string, Uint8Array> = {};
      for (let i = 0; i < 1000; i += 1) files[`usr/lib/file-${i}`] = of(i);
      const opened = openCounted(await seekableLayer(files, { format }));
      const { size } = opened.layer.descriptor;
      assert.ok(size > 1024 ** 3);
      assert.ok((await contentOf(opened, '/usr/lib/file-777')).equals(of(777)));
      const share = `${opened.read()} of ${size} bytes, ${((100 * opened.read()) / size).toFixed(2)} %`;
      t.diagnostic(share);
      assert.ok(opened.read() < 0.02 * size, share);
    });
  }
});
