import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { LayoutFiles } from './files.ts';
import type { LayoutIndex } from './index-entries.ts';

/** A layout that can be read, wherever its files are. */
export interface ReadableLayout {
  /** `oci:` and the directory as given by the user; for messages. */
  readonly name: string;
  readonly files: LayoutFiles;
  readonly index: { read(): Promise<LayoutIndex> };
  /** Whether nothing in it changes while it is open, so that its manifests need to be looked through only once. */
  readonly isFixed?: boolean;
}

/** Maximum size of a manifest in bytes; registries accept no more either. */
export const maxManifestBytes = 4 * 1024 * 1024;

export function manifestUnknown({ name }: ReadableLayout, reference: Tag | Digest): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${name} has no manifest ${reference}`, {
    hint: `ocictl tags ${name} lists what it has`,
  });
}

export function blobUnknown({ name }: ReadableLayout, digest: Digest): OciError {
  return new OciError('BLOB_UNKNOWN', `${name} has no blob ${digest}`);
}
