import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, gunzipSync } from 'node:zlib';
import { looksRandom } from '../../../src/archive/envelope/looks-random.ts';
import { parallelGzip } from '../../../src/archive/envelope/parallel-gzip.ts';
import { randomBytes } from '../../support/layer.ts';

const random = (bytes: number, seed = 'r'): Buffer => Buffer.concat([...randomBytes(bytes, seed)]);
const text = (bytes: number): Buffer => {
  const line = (i: number): string =>
    `${i} lines of a text that is not quite the same each time ${(i * 7919) % 1009}\n`;
  return Buffer.from(Array.from({ length: Math.ceil(bytes / 50) }, (_, i) => line(i)).join('')).subarray(0, bytes);
};

async function packed(content: Buffer, chunkBytes = 100_000): Promise<Buffer> {
  const source = async function* () {
    for (let at = 0; at < content.length; at += chunkBytes) yield content.subarray(at, at + chunkBytes);
  };
  const chunks: Uint8Array[] = [];
  const made = parallelGzip(source(), { crc32: async () => crc32(content) });
  for await (const chunk of made) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

const k = 1024;
const mixed = Buffer.concat(
  Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? text(32 * k + i * 333) : random(64 * k - i * 777, `${i}`))),
);

describe('gzip in several threads', () => {
  it('is one stream of the same bytes, however they arrive', async () => {
    const sizes = [0, 1, 511, 16 * k, 32 * k, 65_535, 65_536, 1024 * k - 1, 1024 * k, 1024 * k + 1, 2500 * k];
    const contents = [mixed, ...sizes.flatMap((size) => [text(size), random(size)])];
    for (const content of contents) {
      const whole = await packed(content);
      assert.ok(gunzipSync(whole).equals(content), `${content.length} bytes`);
      assert.ok((await packed(content, 65_537)).equals(whole), `${content.length} bytes in other chunks`);
    }
  });

  it('stores what is random, also between what is not', async () => {
    const size = 3000 * k;
    assert.ok((await packed(random(size))).length < size * 1.001);
    assert.ok((await packed(text(size))).length < size / 4);
    const randomPart = 20 * 64 * k;
    assert.ok((await packed(mixed)).length < randomPart + (mixed.length - randomPart) / 2);
  });
});

describe('what looks random', () => {
  const table = Buffer.from(Array.from({ length: 64 * k }, (_, i) => i % 256));
  const cases: readonly (readonly [name: string, bytes: Buffer, isRandom: boolean])[] = [
    ['random bytes', random(16 * k), true],
    ['text', text(16 * k), false],
    ['base64', Buffer.from(random(16 * k).toString('base64')), false],
    ['all bytes in order', table, false],
    ['zeros', Buffer.alloc(16 * k), false],
    [
      'random bytes, of which one in eight is text',
      Buffer.from(random(16 * k).map((byte, i) => (i % 8 === 0 ? 101 : byte))),
      false,
    ],
    ['random bytes that are too few to say', random(900), false],
    ['nothing', Buffer.alloc(0), false],
  ];
  for (const [name, bytes, isRandom] of cases) {
    it(`${isRandom ? 'are' : 'are not'}: ${name}`, () => assert.equal(looksRandom(bytes), isRandom));
  }
});
