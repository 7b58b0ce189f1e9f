import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { LayoutFiles } from './files.ts';
import type { LayoutIndex } from './index-entries.ts';

/** What reading a layout takes, wherever its files are. */
export interface ReadableLayout {
  /** `oci:` and the directory as it was given: what messages call it. */
  readonly name: string;
  readonly files: LayoutFiles;
  readonly index: { read(): Promise<LayoutIndex> };
}

/** Most bytes of a manifest here; registries take no more either. */
export const maxManifestBytes = 4 * 1024 * 1024;

export function manifestUnknown({ name }: ReadableLayout, reference: Tag | Digest): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${name} has no manifest ${reference}`);
}

export function blobUnknown({ name }: ReadableLayout, digest: Digest): OciError {
  return new OciError('BLOB_UNKNOWN', `${name} has no blob ${digest}`);
}
