/** Opens archives that are written. Part of the composition root, loaded only by commands that write one. */

import { openFileOutput, openStreamOutput } from '../archive/write/output.ts';
import { type ArchiveWriter, createArchiveWriter, type WriterOptions } from '../archive/write/writer.ts';
import type { Sink } from '../registry/content.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface NewArchive extends Omit<WriterOptions, 'output'> {
  /** Its path; undefined for standard output. */
  readonly file: string | undefined;
}

/** @throws OciError REFUSED for a directory; STORAGE_*. */
export async function createArchive({ file, ...options }: NewArchive, terminal: Terminal): Promise<ArchiveWriter> {
  const standard: Sink = { write: (chunk) => terminal.outPart(chunk) };
  const output = file === undefined ? await openStreamOutput('standard output', standard) : await openFileOutput(file);
  return createArchiveWriter({ ...options, output });
}
