import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { blobsOf, childrenOf, type ManifestView } from '../../model/manifest/manifest.ts';
import { isForeignLayerType, isManifestType } from '../../model/manifest/media-types.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { atOnce } from '../at-once.ts';
import { findLinkedBlob, findRevision } from '../blobs/links.ts';
import type { StoredBlob } from '../blobs/stored-blob.ts';
import { isDamaged } from '../collect/damage.ts';
import type { StorePath } from '../driver.ts';
import { layerLinkPath, revisionLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';

/** Lookups in parallel: a disk answers several as fast as one. */
const blobsAtOnce = 8;

/**
 * Looks up everything that a manifest references. The digests must be held, so that what is found is kept until a
 * revision link shows that it is needed.
 *
 * @returns The links by which it was found.
 * @throws OciError MANIFEST_BLOB_UNKNOWN listing everything that is missing
 */
export async function requireReferences(
  store: Store,
  repo: RepositoryName,
  view: ManifestView,
  sparse: boolean,
  signal: AbortSignal | undefined,
): Promise<readonly StorePath[]> {
  const links: StorePath[] = [];
  const missing = new Set<Digest>();
  await atOnce(blobsOf(view), blobsAtOnce, async (entry) => {
    signal?.throwIfAborted();
    const { digest, mediaType, urls = [] } = entry;
    if (await isThere(store, repo, entry)) links.push(layerLinkPath(repo, digest));
    else if (!isForeignLayerType(mediaType) && urls.length === 0) missing.add(digest);
  });
  for (const entry of childrenOf(view)) {
    signal?.throwIfAborted();
    const { digest, mediaType } = entry;
    if ((await findHeld(store, digest, () => findRevision(store, repo, digest))) !== undefined) {
      links.push(revisionLinkPath(repo, digest));
      // Build caches are indexes whose entries are layers.
    } else if (!isManifestType(mediaType) && (await isThere(store, repo, entry))) {
      links.push(layerLinkPath(repo, digest));
    } else if (!sparse) missing.add(digest);
  }
  if (missing.size > 0) throw missingReferences(repo, [...missing]);
  return links;
}

/** Whether all of these links still exist. */
export async function areThere({ driver }: Store, links: readonly StorePath[]): Promise<boolean> {
  let all = true;
  await atOnce(links, blobsAtOnce, async (link) => {
    if ((await driver.stat(link)) === undefined) all = false;
  });
  return all;
}

// If the size differs, the blob is damaged or the manifest is wrong. A damaged blob counts as missing: it is sent again.
async function isThere(store: Store, repo: RepositoryName, { digest, size }: Descriptor): Promise<boolean> {
  const blob = await findHeld(store, digest, () => findLinkedBlob(store, repo, digest));
  return blob !== undefined && (blob.size === size || !(await isDamaged(store, blob)));
}

// If the blob is stored under another digest, that one is held too, and the lookup repeated.
async function findHeld(
  store: Store,
  digest: Digest,
  find: () => Promise<StoredBlob | undefined>,
): Promise<StoredBlob | undefined> {
  const blob = await find();
  if (blob === undefined || blob.stored === digest) return blob;
  await store.marks.hold([blob.stored]);
  return await find();
}

function missingReferences(repo: RepositoryName, digests: readonly Digest[]): OciError {
  const more = digests.length > 1 ? ` and ${digests.length - 1} more` : '';
  return new OciError(
    'MANIFEST_BLOB_UNKNOWN',
    `the manifest references ${digests[0]}${more}, which ${repo} does not have`,
    {
      detail: digests.map((digest) => ({ digest })),
      hint: 'push the blobs and child manifests of a manifest before the manifest',
    },
  );
}
