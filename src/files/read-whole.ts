import { fstatSync } from 'node:fs';
import { OciError } from '../model/errors.ts';
import { readBytes } from './system-calls.ts';

/**
 * Reads an open file into memory. The file stays open.
 *
 * @throws OciError TOO_LARGE before more than `maxBytes` are read.
 */
export async function readWhole(descriptor: number, file: string, maxBytes: number): Promise<Uint8Array> {
  // Synchronous: for an open file fstat does not access the disk.
  const facts = fstatSync(descriptor);
  // Reading a directory of size 0 would give no error.
  if (facts.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  const { size } = facts;
  if (size > maxBytes) {
    throw new OciError('TOO_LARGE', `${file} has ${size} bytes, more than the ${maxBytes} allowed`);
  }
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await readBytes(descriptor, bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
