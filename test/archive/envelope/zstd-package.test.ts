import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { decompressed, through } from '../../../src/archive/envelope/compression.ts';
import { zstdByPackage } from '../../../src/archive/envelope/zstd-package.ts';

const mebibyte = 1024 * 1024;

async function compress(content: Buffer, chunkBytes: number, level = 3): Promise<Buffer> {
  const create = await zstdByPackage();
  assert.ok(create);
  const chunks = function* (): Generator<Buffer> {
    for (let at = 0; at < content.length; at += chunkBytes) yield content.subarray(at, at + chunkBytes);
  };
  const refuse = (cause: unknown) => assert.fail(String(cause));
  return buffer(through(Readable.from(chunks()), create(level), refuse));
}

async function back(packed: Buffer): Promise<Buffer> {
  return buffer(decompressed(Readable.from([packed]), 'zstd', { shown: 'it' }));
}

describe('zstd by the optional package', () => {
  const noise = Buffer.concat([randomBytes(3 * mebibyte), Buffer.alloc(6 * mebibyte, 'text ')]);
  for (const length of [0, 1, 4 * mebibyte - 1, 4 * mebibyte, 4 * mebibyte + 1, noise.length]) {
    it(`gives ${length} bytes back, and the same bytes whatever the chunks`, async () => {
      const content = noise.subarray(0, length);
      const packed = await compress(content, 65_536);
      assert.ok(packed.equals(await compress(content, 1_000_003)));
      assert.equal(packed.readUInt32LE(0), 0xfd2fb528);
      assert.ok((await back(packed)).equals(content));
    });
  }

  it('compresses more at a higher level', async () => {
    const text = Buffer.from(Array.from({ length: 50_000 }, (_, at) => `${(at * 7919) % 10_007}`).join(' '));
    const [low, high] = [await compress(text, text.length, 1), await compress(text, text.length, 19)];
    assert.ok(high.length < low.length, `${high.length} ${low.length}`);
    assert.ok((await back(high)).equals(text));
  });
});
