import type { FileRange, FileReader } from '../../files/file-reader.ts';

/**
 * The files of a layout, wherever they are kept: in a directory, or in an archive that is read by offsets. Paths are
 * relative and joined with `/`, as in paths.ts. Each method gives undefined or nothing where there is no such file.
 *
 * @throws OciError STORAGE_DAMAGED from all of them for what is no regular file of the layout's own; STORAGE_*.
 */
export interface LayoutFiles {
  /** What messages call a file. */
  shown(path: string): string;
  stat(path: string): Promise<LayoutFileFacts | undefined>;
  /** A small file whole. @throws OciError TOO_LARGE before more than `maxBytes` are in memory. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Opens a file, or a part of it. The reader tells the size of the whole. */
  open(path: string, range?: FileRange): Promise<FileReader | undefined>;
  /** The names that lie directly below a path; `''` is the layout itself. */
  list(path: string): Promise<readonly string[]>;
}

interface LayoutFileFacts {
  readonly size: number;
  /** Another one whenever the content is another: what was read of the same may be kept. */
  readonly version: string;
}
