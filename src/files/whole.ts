import type { FileHandle } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';

/**
 * Reads an open file whole, and leaves it open.
 *
 * @throws OciError TOO_LARGE before more than `maxBytes` are in memory.
 */
export async function readWhole(handle: FileHandle, file: string, maxBytes: number): Promise<Uint8Array> {
  const { size } = await handle.stat();
  if (size > maxBytes) {
    throw new OciError('TOO_LARGE', `${file} has ${size} bytes, more than the ${maxBytes} allowed`);
  }
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
