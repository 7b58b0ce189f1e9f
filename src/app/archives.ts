/** Opens archives that are written. Part of the composition root, loaded only by commands that write one. */

import type { Outer } from '../archive/write/outer.ts';
import {
  type ArchiveWriter,
  createArchiveWriter,
  openFileOutput,
  openStreamOutput,
  type WriterOptions,
} from '../archive/write/writer.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface NewArchive extends Omit<WriterOptions, 'output'> {
  /** Its path; undefined for standard output. */
  readonly file: string | undefined;
  readonly outer: Outer;
}

/** @throws OciError REFUSED for a directory; UNSUPPORTED for a compression that Node lacks; STORAGE_*. */
export async function createArchive(
  { file, outer, ...options }: NewArchive,
  terminal: Terminal,
): Promise<ArchiveWriter> {
  const output = await (file === undefined
    ? openStreamOutput('standard output', terminal.takeOut(), outer)
    : openFileOutput(file, outer));
  return createArchiveWriter({ ...options, output });
}
