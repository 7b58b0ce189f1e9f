import type { FileHandle } from 'node:fs/promises';

/** An open file that is read from front to back. It keeps its bytes when its name is given to another meanwhile. */
export interface FileReader {
  /** Bytes of the whole file, whatever range is read. */
  readonly size: number;
  /** Fills `into` as far as the range goes. @returns Bytes read; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The first byte, and the end, exclusive. */
export interface FileRange {
  readonly start: number;
  readonly end?: number | undefined;
}

/**
 * Reads an open file, which is the reader's from here on.
 *
 * @param explain What a failed read becomes.
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
