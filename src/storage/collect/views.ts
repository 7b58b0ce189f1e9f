import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { ManifestView } from '../../model/manifest/manifest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { readLink } from '../blobs/links.ts';
import { loadLinked, tryParseManifest } from '../manifests/manifests.ts';
import type { Store } from '../store.ts';

/**
 * A parsed manifest; `unclear` if its references are unknown: an unknown type, schema 1, or damaged bytes. Undefined if
 * its bytes are missing.
 *
 * @param stored What its revision link holds.
 */
export async function readView(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
  stored: Digest,
): Promise<ManifestView | 'unclear' | undefined> {
  try {
    const raw = await loadLinked(store, repo, digest, stored);
    if (raw === undefined) return undefined;
    const view = tryParseManifest(raw);
    const known =
      view !== undefined && view.kind !== 'schema1' && (view.kind !== 'other' || view.references !== undefined);
    return known ? view : 'unclear';
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return 'unclear';
    throw error;
  }
}

export async function linkOrDamaged(
  store: Store,
  path: Parameters<typeof readLink>[1],
): Promise<Digest | 'damaged' | undefined> {
  try {
    return await readLink(store, path);
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return 'damaged';
    throw error;
  }
}
