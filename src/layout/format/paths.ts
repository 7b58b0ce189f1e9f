/**
 * The files of a layout:
 *
 *     oci-layout                the version
 *     index.json                entries and tags
 *     blobs/<algorithm>/<hex>   blobs and manifests
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { type Digest, digestAlgorithm, digestHex } from '../../model/digest.ts';

export const versionPath = 'oci-layout';
export const indexPath = 'index.json';
export const blobsPath = 'blobs';

/** The digest was parsed, so the path cannot lead out of `blobs` (path traversal). */
export function blobPath(digest: Digest): string {
  return `${blobsPath}/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
