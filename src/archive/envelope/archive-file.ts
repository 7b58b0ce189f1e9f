import { closeSync } from 'node:fs';
import type { FileRange, FileReader } from '../../files/file-reader.ts';
import { readBytes } from '../../files/system-calls.ts';
import { onArchive } from './errors.ts';

/** An open file that is read by offsets: the archive itself, or its unpacked copy. */
export interface ArchiveFile {
  /** The name of the archive in messages. */
  readonly shown: string;
  /** In bytes. */
  readonly size: number;
  /** Fills `into` from a position. @returns Bytes read: fewer only at the end. @throws OciError STORAGE_* */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Idempotent. */
  close(): void;
}

/** @param closed Called once it is closed. */
export function archiveFile(descriptor: number, shown: string, size: number, closed = (): void => {}): ArchiveFile {
  let isOpen = true;
  return {
    shown,
    size,
    read: (into, position) =>
      onArchive('read', shown, async () => {
        let filled = 0;
        while (filled < into.length) {
          const { bytesRead } = await readBytes(descriptor, into, filled, into.length - filled, position + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return filled;
      }),
    close() {
      if (!isOpen) return;
      isOpen = false;
      closeSync(descriptor);
      closed();
    },
  };
}

/** Where the content of a file is in an archive, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** Reads a file in the archive from front to back, or a part of it. Closing it leaves the archive open. */
export function readerAt(file: ArchiveFile, { offset, size }: Extent, range?: FileRange): FileReader {
  const end = Math.min(range?.end ?? size, size);
  let position = range?.start ?? 0;
  return {
    size,
    async read(into) {
      const wanted = Math.min(into.length, end - position);
      if (wanted <= 0) return 0;
      const count = await file.read(into.subarray(0, wanted), offset + position);
      position += count;
      return count;
    },
    async close() {},
  };
}
