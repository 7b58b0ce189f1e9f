import { type Digest, tryParseDigest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import { blobsOf, childrenOf, type ManifestView } from '../../model/manifest/manifest.ts';
import { isManifestType } from '../../model/manifest/media-types.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { readLink } from '../blobs/links.ts';
import { digestsIn } from '../listing.ts';
import { loadManifest, tryParseManifest } from '../manifests/manifests.ts';
import { layerLinkPath, layersPath, revisionLinkPath, revisionsPath } from '../paths.ts';
import type { Store } from '../store.ts';

/** What the manifests of a repository reference. */
interface Needs {
  /** Digests in manifests: layer links with these names are kept. */
  readonly named: Set<Digest>;
  /** Digests by which the blobs are stored. */
  readonly stored: Set<Digest>;
}

interface MarkOptions extends SignalOption {
  /** Manifests to leave out. */
  readonly except?: ReadonlyMap<Digest, unknown>;
}

/**
 * Finds what the manifests of a repository reference. Every revision counts, tagged or not, so children of indexes,
 * referrers and untagged manifests are kept until they are deleted.
 */
export async function markRepository(store: Store, repo: RepositoryName, opts?: MarkOptions): Promise<Needs> {
  const named = new Set<Digest>();
  const stored = new Set<Digest>();
  let unclear = false;
  for await (const digest of digestsIn(store.driver, revisionsPath(repo))) {
    opts?.signal?.throwIfAborted();
    if (opts?.except?.has(digest)) continue;
    const link = await linkOrDamaged(store, revisionLinkPath(repo, digest));
    if (link === undefined) continue;
    stored.add(link === 'damaged' ? digest : link);
    const needed = await neededBy(store, repo, digest);
    if (needed === undefined) unclear = true;
    for (const blob of needed ?? []) named.add(blob);
  }
  // If the references of a manifest are unknown, every layer of the repository is kept.
  if (unclear) {
    for await (const digest of digestsIn(store.driver, layersPath(repo))) named.add(digest);
  }
  for (const digest of named) {
    stored.add(digest);
    const link = await linkOrDamaged(store, layerLinkPath(repo, digest));
    if (tryParseDigest(link) !== undefined) stored.add(link as Digest);
  }
  return { named, stored };
}

// Undefined if the references of the manifest are unknown.
async function neededBy(store: Store, repo: RepositoryName, digest: Digest): Promise<readonly Digest[] | undefined> {
  const view = await readView(store, repo, digest);
  if (view === 'unclear') return undefined;
  if (view === undefined) return [];
  // A child manifest counts by its own revision link; a child of another type is a blob.
  const blobs = [...blobsOf(view), ...childrenOf(view).filter(({ mediaType }) => !isManifestType(mediaType))];
  return blobs.map((entry) => entry.digest);
}

/** A parsed manifest; `unclear` if its references are unknown: an unknown type, schema 1, or damaged bytes. */
export async function readView(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
): Promise<ManifestView | 'unclear' | undefined> {
  try {
    const raw = await loadManifest(store, repo, digest);
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
