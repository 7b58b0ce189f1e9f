import type { FileRange, FileReader } from '../files/file-reader.ts';
import type { LayoutFiles } from '../layout/format/files.ts';
import { OciError } from '../model/errors.ts';
import { type ArchiveFile, readerAt } from './envelope/archive-file.ts';
import type { TarIndex } from './envelope/tar-index.ts';

/** The files of an archive, for whatever reads a layout. */
export interface ArchiveFiles extends LayoutFiles {
  /** The archive's name in messages. */
  readonly archive: string;
  /** Whether its end is there. One without may be cut off. */
  readonly hasEnd: boolean;
}

/** What to do about an archive that is damaged or incomplete, for hints. */
export const remedy = 'make the archive again, or copy it again';

/** A file is read in pieces of this size where it is unpacked or hashed. */
const pieceBytes = 256 * 1024;

/** The content of a file; nothing if there is none. */
export async function* chunksOf(
  files: LayoutFiles,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = await files.open(path);
  if (reader === undefined) return;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const piece = Buffer.allocUnsafeSlow(pieceBytes);
      const size = await reader.read(piece);
      if (size === 0) return;
      yield piece.subarray(0, size);
    }
  } finally {
    await reader.close();
  }
}

/**
 * Files with some more: from memory, or under other names. They go before those that are there.
 *
 * @param more By path: the content, or the path of a file that is there.
 */
export function withFiles(files: ArchiveFiles, more: ReadonlyMap<string, Uint8Array | string>): ArchiveFiles {
  const other = (path: string): string => {
    const found = more.get(path);
    return typeof found === 'string' ? found : path;
  };
  const inMemory = (path: string): Uint8Array | undefined => {
    const found = more.get(path);
    return typeof found === 'string' ? undefined : found;
  };
  return {
    archive: files.archive,
    hasEnd: files.hasEnd,
    remedy: files.remedy,
    shown: (path) => files.shown(other(path)),
    list: (path) => files.list(path),

    async stat(path) {
      const bytes = inMemory(path);
      return bytes ? { size: bytes.length, version: path } : await files.stat(other(path));
    },

    async read(path, maxBytes) {
      return inMemory(path) ?? (await files.read(other(path), maxBytes));
    },

    async open(path, range) {
      const bytes = inMemory(path);
      return bytes ? memoryReader(bytes, range) : await files.open(other(path), range);
    },
  };
}

function memoryReader(bytes: Uint8Array, range: FileRange | undefined): FileReader {
  let left = bytes.subarray(range?.start ?? 0, range?.end);
  return {
    size: bytes.length,
    async read(into) {
      const part = left.subarray(0, into.length);
      into.set(part);
      left = left.subarray(part.length);
      return part.length;
    },
    async close() {},
  };
}

export function createArchiveFiles(file: ArchiveFile, { files: index, hasEnd }: TarIndex): ArchiveFiles {
  const shown = (path: string): string => `${path} in ${file.shown}`;
  return {
    archive: file.shown,
    hasEnd,
    shown,
    remedy,

    async stat(path) {
      const extent = index.get(path);
      return extent && { size: extent.size, version: String(extent.offset) };
    },

    async read(path, maxBytes) {
      const extent = index.get(path);
      if (extent === undefined) return undefined;
      if (extent.size > maxBytes) {
        throw new OciError('TOO_LARGE', `${shown(path)} has ${extent.size} bytes, more than the ${maxBytes} allowed`);
      }
      const bytes = new Uint8Array(extent.size);
      return bytes.subarray(0, await file.read(bytes, extent.offset));
    },

    async open(path, range) {
      const extent = index.get(path);
      return extent && readerAt(file, extent, range);
    },

    async list(path) {
      const prefix = path === '' ? '' : `${path}/`;
      const below = [...index.keys()].filter((name) => name.startsWith(prefix));
      return [...new Set(below.map((name) => name.slice(prefix.length).split('/', 1)[0] ?? ''))];
    },
  };
}
