/**
 * What lies where in a layout:
 *
 *     oci-layout                the version
 *     index.json                entries and tags
 *     blobs/<algorithm>/<hex>   blobs and manifests
 *     .ocictl/                  what is being written; gone when nothing is
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex } from '../../model/digest.ts';

export const versionFileName = 'oci-layout';
export const indexFileName = 'index.json';
export const blobsName = 'blobs';
/** On the file system of the layout, so that what is finished can be renamed into place. */
export const workName = '.ocictl';

export function blobsPath(root: string): string {
  return join(root, blobsName);
}

/** A digest is parsed before it comes here, so it cannot lead out of `blobs` (path traversal). */
export function blobPath(root: string, digest: Digest): string {
  return join(root, blobsName, digestAlgorithm(digest), digestHex(digest));
}
