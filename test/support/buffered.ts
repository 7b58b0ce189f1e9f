import type { Readable } from 'node:stream';

/** All that a stream has buffered, as text. One `read()` gives all chunks together, or, from Node 26 on, the first alone. */
export function bufferedText(stream: Readable): string {
  const chunks: Buffer[] = [];
  for (let chunk: Buffer | null = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
