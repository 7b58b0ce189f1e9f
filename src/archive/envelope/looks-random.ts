/** Tells what no compression makes smaller, such as what is compressed or encrypted already, by how often each byte is in it. */

const samples = 4;
const sampleBytes = 256;
/**
 * How much more often than by chance two bytes of it may be the same: with a tenth, codes by frequency save less than a hundredth
 * of the bytes.
 */
const mostExcess = 0.1;
/** The statistic of random bytes is 255, and 23 more or less: what is far below has an order, such as a table of all bytes. */
const leastStatistic = 120;

/** A look at so many bytes first: if fewer of them differ, no more are looked at. Of random bytes 101 do, and 4 more or less. */
const firstBytes = 128;
const leastDifferent = 76;

const counts = new Uint32Array(256);
/** By byte, the number of the look that has seen it. */
const seen = new Uint32Array(256);
let look = 0;

/** @returns false for what is too short to say. */
export function looksRandom(bytes: Uint8Array): boolean {
  const stride = Math.floor(bytes.length / samples);
  if (stride < sampleBytes) return false;
  if (differentBytes(bytes, bytes.length >> 1) < leastDifferent) return false;
  counts.fill(0);
  for (let i = 0; i < samples; i += 1) {
    // Not always at the beginning of a page, where there may be a header.
    const start = i * stride + ((i * 1031) % (stride - sampleBytes + 1));
    for (let at = start; at < start + sampleBytes; at += 1)
      counts[bytes[at] as number] = (counts[bytes[at] as number] as number) + 1;
  }
  const taken = samples * sampleBytes;
  let squares = 0;
  for (const count of counts) squares += count * count;
  const statistic = (squares * counts.length) / taken - taken;
  return statistic > leastStatistic && (statistic - counts.length) / taken < mostExcess;
}

function differentBytes(bytes: Uint8Array, start: number): number {
  look = (look + 1) % 2 ** 32 || 1;
  let different = 0;
  for (let at = start; at < start + firstBytes; at += 1) {
    const byte = bytes[at] as number;
    if (seen[byte] === look) continue;
    seen[byte] = look;
    different += 1;
  }
  return different;
}
