/**
 * What a bundle relies on. A bundle is an archive that lacks blobs which its reader has; all its manifests are in it. This
 * file of the archive names those blobs:
 *
 *     {"version":1,"blobs":[{"digest":"sha256:…","size":1024}]}
 */
import type { Digest } from '../model/digest.ts';

/** Its path in the archive. */
export const bundleBasePath = 'ocictl-base.json';

const version = 1;

/** @param blobs Their sizes in bytes. Equal maps give equal bytes. */
export function formatBundleBase(blobs: ReadonlyMap<Digest, number>): Uint8Array {
  const sorted = [...blobs].sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify({ version, blobs: sorted.map(([digest, size]) => ({ digest, size })) }));
}
