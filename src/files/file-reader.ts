import type { FileHandle } from 'node:fs/promises';

/** An open file that is read from front to back. It keeps reading the same file if its name is replaced meanwhile. */
export interface FileReader {
  /** Bytes of the whole file, whatever range is read. */
  readonly size: number;
  /** Fills `into`, up to the end of the range. @returns Bytes read; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The first byte, and the exclusive end. */
export interface FileRange {
  readonly start: number;
  readonly end?: number | undefined;
}

/**
 * Reads an open file. The reader owns the handle from now on.
 *
 * @param explain Maps the error of a failed read.
 */
export function readerOf(
  handle: FileHandle,
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
