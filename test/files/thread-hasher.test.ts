import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { ThreadHasher } from '../../src/files/thread-hasher.ts';
import { digestBytes } from '../../src/model/digest.ts';
import { randomBytes } from '../support/layer.ts';

const mebibyte = 1024 * 1024;
const content = Buffer.concat([...randomBytes(12 * mebibyte, 'hash')]);

/** Its memory is changed after each chunk, as that of a caller who uses it again. */
async function sumsOf(bytes: Uint8Array, chunkBytes: number) {
  const hasher = new ThreadHasher({ crc32: true });
  const memory = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    memory.set(chunk);
    await hasher.update(memory.subarray(0, chunk.length));
    memory.fill(0);
  }
  return await hasher.end();
}

describe('hashing in a thread', () => {
  it('gives the sums of any stream, with and without the thread', async () => {
    for (const size of [0, 1, 262_144, 4 * mebibyte - 1, 4 * mebibyte, 4 * mebibyte + 1, content.length]) {
      for (const chunk of [100_003, mebibyte, 5 * mebibyte]) {
        const bytes = content.subarray(0, size);
        const expected = { digest: await digestBytes(bytes), crc32: crc32(bytes) };
        assert.deepEqual(await sumsOf(bytes, chunk), expected, `${size} bytes in chunks of ${chunk}`);
      }
    }
  });

  it('keeps streams apart that are hashed at the same time', async () => {
    const parts = [0, 1, 2, 3].map((i) => content.subarray(i * mebibyte, (i + 8) * mebibyte));
    const sums = await Promise.all(parts.map((part) => sumsOf(part, mebibyte)));
    const expected = await Promise.all(parts.map((part) => digestBytes(part)));
    assert.deepEqual(
      sums.map(({ digest }) => digest),
      expected,
    );
  });

  it('tells the same sums when it is asked again', async () => {
    const hasher = new ThreadHasher();
    await hasher.update(content);
    assert.deepEqual(await hasher.end(), await hasher.end());
    assert.equal((await hasher.end()).digest, await digestBytes(content));
  });
});
