import type { LayoutFiles } from '../layout/format/files.ts';
import { OciError } from '../model/errors.ts';
import { type ArchiveFile, readerAt } from './envelope/archive-file.ts';
import type { TarIndex } from './envelope/tar-index.ts';

/** The files of an archive, for whatever reads a layout. */
export interface ArchiveFiles extends LayoutFiles {
  /** The archive's name in messages. */
  readonly archive: string;
}

/** What to do about an archive that is damaged or incomplete, for hints. */
export const remedy = 'make the archive again, or copy it again';

export function createArchiveFiles(file: ArchiveFile, index: TarIndex): ArchiveFiles {
  const shown = (path: string): string => `${path} in ${file.shown}`;
  return {
    archive: file.shown,
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
