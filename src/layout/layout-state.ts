import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Tag } from '../model/reference/reference.ts';
import type { IndexFile } from './directory/index-file.ts';
import type { LayoutLock } from './directory/lock.ts';
import type { WorkDirectory } from './directory/work-directory.ts';

/** An open layout, as its parts see it. */
export interface Layout {
  /** `oci:` and the directory as it was given: what messages call it. */
  readonly name: string;
  /** The directory with every link followed. */
  readonly root: string;
  readonly readOnly: boolean;
  readonly index: IndexFile;
  readonly lock: LayoutLock;
  readonly work: WorkDirectory;
}

/** Most bytes of a manifest here; registries take no more either. */
export const maxManifestBytes = 4 * 1024 * 1024;

/** @throws OciError DENIED when the layout was opened for reading alone. */
export function refuseReadOnly({ name, readOnly }: Layout): void {
  if (readOnly) throw new OciError('DENIED', `${name} is read-only: nothing can be pushed to it or deleted from it`);
}

export function manifestUnknown({ name }: Layout, reference: Tag | Digest): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${name} has no manifest ${reference}`);
}

export function blobUnknown({ name }: Layout, digest: Digest): OciError {
  return new OciError('BLOB_UNKNOWN', `${name} has no blob ${digest}`);
}
