import { join } from 'node:path';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { blobPath } from '../format/paths.ts';
import type { ReadableLayout } from '../format/readable-layout.ts';
import type { IndexFile } from './index-file.ts';
import type { LayoutLock } from './lock.ts';
import type { WorkDirectory } from './work-directory.ts';

/** A layout in a directory, for its parts. */
export interface LayoutDirectory extends ReadableLayout {
  /** The directory with all links followed. */
  readonly root: string;
  readonly readOnly: boolean;
  readonly index: IndexFile;
  readonly lock: LayoutLock;
  readonly work: WorkDirectory;
}

/** @throws OciError DENIED if the layout was opened read-only. */
export function refuseReadOnly({ name, readOnly }: LayoutDirectory): void {
  if (readOnly) throw new OciError('DENIED', `${name} is read-only: nothing can be pushed to it or deleted from it`);
}

/** The path of a blob, whether it exists or not. */
export function blobFile({ root }: LayoutDirectory, digest: Digest): string {
  return join(root, blobPath(digest));
}
