import { closeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { openFile } from '../../files/calls.ts';
import { readerOf } from '../../files/file-reader.ts';
import { readWhole as readOpen } from '../../files/whole.ts';
import type { ByteRange } from '../../registry/registry.ts';
import type { ObjectReader } from '../driver.ts';
import { storageError } from './file-errors.ts';

/** Opens a file for reading from `range.start` to `range.end`, exclusive. @throws EISDIR for what is no file */
export async function openReader(file: string, range?: ByteRange): Promise<ObjectReader> {
  const handle = await open(file, 'r');
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw Object.assign(new Error('it is no file'), { code: 'EISDIR' });
    return readerOf(handle, facts.size, range, (error) => storageError(error, 'read', file));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads a file whole. @throws OciError TOO_LARGE before more than `maxBytes` are in memory. */
export async function readWhole(file: string, maxBytes: number): Promise<Uint8Array> {
  const descriptor = await openFile(file, 'r');
  try {
    return await readOpen(descriptor, file, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}
