import { closeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { openFile } from '../../files/calls.ts';
import { fileMode } from '../../files/durable.ts';
import { type FileRange, readerOf } from '../../files/file-reader.ts';
import { readWhole as readOpen } from '../../files/whole.ts';
import type { FileAppender, FileReader } from '../driver.ts';
import { storageError } from './file-errors.ts';

/** Opens a file for reading from `range.start` to `range.end`, exclusive. */
export async function openReader(file: string, range?: FileRange): Promise<FileReader> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    return readerOf(handle, size, range, (error) => storageError(error, 'read', file));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens a file for appending and creates it where absent. */
export async function openAppender(file: string): Promise<FileAppender> {
  const handle = await open(file, 'a', fileMode);
  try {
    let { size } = await handle.stat();
    let closing: Promise<void> | undefined;
    return {
      get size() {
        return size;
      },
      async write(chunk) {
        try {
          for (let written = 0; written < chunk.length; ) {
            const { bytesWritten } = await handle.write(chunk, written, chunk.length - written);
            written += bytesWritten;
            size += bytesWritten;
          }
        } catch (error) {
          throw storageError(error, 'write', file);
        }
      },
      async sync() {
        try {
          await handle.sync();
        } catch (error) {
          throw storageError(error, 'write', file);
        }
      },
      close() {
        closing ??= handle.close();
        return closing;
      },
    };
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
