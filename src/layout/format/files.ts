import type { FileRange, FileReader } from '../../files/file-reader.ts';

/**
 * The files of a layout, in a directory or in an archive that is read by offsets. Paths are relative and joined with
 * `/`, as in paths.ts. If a file does not exist, the methods return undefined or an empty list.
 *
 * @throws OciError STORAGE_DAMAGED from all methods if it is not a regular file of the layout; STORAGE_*.
 */
export interface LayoutFiles {
  /** The name of a file in messages. */
  shown(path: string): string;
  /** What to do about a file that is damaged or missing, for hints. */
  readonly remedy: string;
  stat(path: string): Promise<LayoutFileFacts | undefined>;
  /** Reads a small file. @throws OciError TOO_LARGE before more than `maxBytes` are read. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Opens a file, or a part of it. The reader's size is that of the whole file. */
  open(path: string, range?: FileRange): Promise<FileReader | undefined>;
  /** The names directly below a path; `''` is the layout itself. */
  list(path: string): Promise<readonly string[]>;
}

interface LayoutFileFacts {
  readonly size: number;
  /** Differs whenever the content differs, so that parsed content may be cached by it. */
  readonly version: string;
}
