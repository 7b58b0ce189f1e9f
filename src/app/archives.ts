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
  /** Whether a file of that name is refused instead of replaced. Default false. */
  readonly isNew?: boolean;
}

/** @throws OciError REFUSED for a directory, and with `isNew` for what exists; UNSUPPORTED for a compression that Node lacks; STORAGE_*. */
export async function createArchive(
  { file, outer, isNew, ...options }: NewArchive,
  terminal: Terminal,
): Promise<ArchiveWriter> {
  const output = await (file === undefined
    ? openStreamOutput('standard output', terminal.takeOut(), outer)
    : openFileOutput(file, outer, { isNew }));
  return createArchiveWriter({ ...options, output });
}
