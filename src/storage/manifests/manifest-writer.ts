import { type Digest, digestAlgorithm, digestBytes } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { ManifestView } from '../../model/manifest/manifest.ts';
import {
  blobsOf,
  childrenOf,
  detectMediaType,
  impliedMediaType,
  parseManifest,
  type RawManifest,
  schema1Refused,
} from '../../model/manifest/manifest.ts';
import { bareMediaType, isForeignLayerType, isManifestType } from '../../model/manifest/media-types.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { digestMismatch } from '../../registry/content.ts';
import type { PushManifestOptions } from '../../registry/registry.ts';
import { findBlob, findLinkedBlob, findRevision, type StoredBlob, writeLink } from '../blobs/links.ts';
import { isDamaged } from '../collect/damage.ts';
import {
  blobPath,
  mediaTypePath,
  referrerLinkPath,
  revisionLinkPath,
  tagCurrentPath,
  tagIndexLinkPath,
} from '../paths.ts';
import type { Store } from '../store.ts';

/** Looked up at the same time: the disk answers several as fast as one. */
const blobsAtOnce = 8;

/**
 * Stores a manifest: its bytes, its revision link, its referrer link, then the tags. Each step makes sense alone, so a
 * crash leaves nothing half visible.
 */
export async function pushManifest(
  store: Store,
  repo: RepositoryName,
  raw: RawManifest,
  opts?: PushManifestOptions,
): Promise<Descriptor> {
  opts?.signal?.throwIfAborted();
  const { bytes } = raw;
  if (bytes.length > store.maxManifestBytes) {
    throw new OciError(
      'TOO_LARGE',
      `the manifest has ${bytes.length} bytes; at most ${store.maxManifestBytes} are taken`,
    );
  }
  const mediaType = bareMediaType(raw.mediaType) || detectMediaType(bytes);
  const view = parseManifest({ mediaType, bytes });
  if (view.kind === 'schema1') throw schema1Refused('the manifest');
  const digest = await digestBytes(bytes, opts?.digest === undefined ? 'sha256' : digestAlgorithm(opts.digest));
  if (opts?.digest !== undefined && opts.digest !== digest) throw digestMismatch(opts.digest, digest);
  const sparse = store.sparseIndexes && opts?.sparse === true;
  return await store.marks.during(async () => {
    await store.marks.hold([digest, ...[...blobsOf(view), ...childrenOf(view)].map((entry) => entry.digest)]);
    if (!store.sparse) await requireReferences(store, repo, view, sparse, opts?.signal);
    await storeManifest(store, repo, { mediaType, bytes }, digest, view, opts);
    return { mediaType, digest, size: bytes.length };
  });
}

async function storeManifest(
  store: Store,
  repo: RepositoryName,
  { mediaType, bytes }: RawManifest,
  digest: Digest,
  view: ManifestView,
  opts?: PushManifestOptions,
): Promise<void> {
  await storeBytes(store, digest, bytes);
  await keepMediaType(store, repo, digest, mediaType, bytes);
  await writeLink(store, revisionLinkPath(repo, digest), digest);
  if (view.subject !== undefined) await writeLink(store, referrerLinkPath(repo, view.subject.digest, digest), digest);
  for (const tag of opts?.tags ?? []) {
    opts?.signal?.throwIfAborted();
    await writeLink(store, tagIndexLinkPath(repo, tag, digest), digest);
    await writeLink(store, tagCurrentPath(repo, tag), digest);
  }
}

// Everything is held, so that what is found here stays until the revision link tells that it is needed.
async function requireReferences(
  store: Store,
  repo: RepositoryName,
  view: ManifestView,
  sparse: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing: Digest[] = [];
  const blobs = blobsOf(view);
  for (let at = 0; at < blobs.length; at += blobsAtOnce) {
    signal?.throwIfAborted();
    const some = blobs.slice(at, at + blobsAtOnce);
    const found = await Promise.all(some.map((entry) => isThere(store, repo, entry)));
    for (const [i, { digest, mediaType, urls = [] }] of some.entries()) {
      if (!found[i] && !isForeignLayerType(mediaType) && urls.length === 0) missing.push(digest);
    }
  }
  for (const entry of childrenOf(view)) {
    signal?.throwIfAborted();
    if ((await findHeld(store, entry.digest, () => findRevision(store, repo, entry.digest))) !== undefined) continue;
    // Build caches are indexes whose entries are layers.
    if (!isManifestType(entry.mediaType) && (await isThere(store, repo, entry))) continue;
    if (!sparse) missing.push(entry.digest);
  }
  if (missing.length === 0) return;
  const digests = [...new Set(missing)];
  const more = digests.length > 1 ? ` and ${digests.length - 1} more` : '';
  throw new OciError('MANIFEST_BLOB_UNKNOWN', `the manifest names ${digests[0]}${more}, which ${repo} does not hold`, {
    detail: digests.map((digest) => ({ digest })),
    hint: 'push what a manifest names before the manifest',
  });
}

// One of another size is damaged, or the manifest lies: a damaged one is missing, to be sent again.
async function isThere(store: Store, repo: RepositoryName, { digest, size }: Descriptor): Promise<boolean> {
  const blob = await findHeld(store, digest, () => findLinkedBlob(store, repo, digest));
  return blob !== undefined && (blob.size === size || !(await isDamaged(store, blob)));
}

// Another digest than that of the manifest is held once it is known, and then looked for again.
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

async function storeBytes(store: Store, digest: Digest, bytes: Uint8Array): Promise<void> {
  const present = await findBlob(store, digest);
  // Compared whole: what the disk changed is mended by whoever stores the manifest again.
  if (present?.size === bytes.length && (await holds(store, present, bytes))) return;
  await store.driver.put(blobPath(digest), bytes);
}

async function holds({ driver }: Store, { path }: StoredBlob, bytes: Uint8Array): Promise<boolean> {
  const there = await driver.get(path, bytes.length);
  return there !== undefined && Buffer.compare(there, bytes) === 0;
}

// Distribution finds the type in the bytes; only what cannot be found there needs a file of its own.
async function keepMediaType(
  { driver }: Store,
  repo: RepositoryName,
  digest: Digest,
  mediaType: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = mediaTypePath(repo, digest);
  if (impliedMediaType(bytes) !== mediaType) await driver.put(path, Buffer.from(mediaType));
  else if ((await driver.stat(path)) !== undefined) await driver.delete(path);
}
