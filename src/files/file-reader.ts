import { closeSync } from 'node:fs';
import { readBytes } from './system-calls.ts';

/** An open file that is read from front to back. It keeps reading the same file if its name is replaced meanwhile. */
export interface FileReader {
  /** Bytes of the whole file, whatever range is read. */
  readonly size: number;
  /** Fills `into`, up to the end of the range. @returns Bytes read; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  /**
   * Instead of `read`: writes all of the range into a sink, in pieces whose memory is used again once the write has
   * resolved. A reader that would have to read them into memory first leaves it out.
   */
  drainTo?(sink: { write(piece: Uint8Array): Promise<void> }): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The first byte, and the exclusive end. */
export interface FileRange {
  readonly start: number;
  readonly end?: number | undefined;
}

/** An open file, as Node's `FileHandle`. */
interface OpenFile {
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

/** The file of a descriptor, which it owns from now on. One read may run at a time; the file is closed after it. */
export function openedFile(descriptor: number): OpenFile {
  let running: Promise<unknown> = Promise.resolve();
  let closed = false;
  return {
    read(...where) {
      if (closed) return Promise.reject(Object.assign(new Error('the file is closed'), { code: 'EBADF' }));
      const read = readBytes(descriptor, ...where);
      running = read.catch(() => {});
      return read;
    },
    async close() {
      if (closed) return;
      closed = true;
      await running;
      closeSync(descriptor);
    },
  };
}

/**
 * Reads an open file. The reader owns it from now on.
 *
 * @param explain Maps the error of a failed read.
 */
export function readerOf(
  handle: OpenFile,
  size: number,
  range: FileRange | undefined,
  explain: (error: unknown) => unknown,
): FileReader {
  const end = Math.min(range?.end ?? size, size);
  let position = range?.start ?? 0;
  let closing: Promise<void> | undefined;
  return {
    size,
    async read(into) {
      const wanted = Math.min(into.length, end - position);
      if (wanted <= 0) return 0;
      try {
        const { bytesRead } = await handle.read(into, 0, wanted, position);
        position += bytesRead;
        return bytesRead;
      } catch (error) {
        throw explain(error);
      }
    },
    close() {
      closing ??= handle.close();
      return closing;
    },
  };
}
