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

const counts = new Uint32Array(256);

/** @returns false for what is too short to say. */
export function looksRandom(bytes: Uint8Array): boolean {
  const stride = Math.floor(bytes.length / samples);
  if (stride < sampleBytes) return false;
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
