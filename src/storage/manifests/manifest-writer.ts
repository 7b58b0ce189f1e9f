import { digestAlgorithm, digestBytes } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import {
  blobsOf,
  childrenOf,
  detectMediaType,
  type ManifestView,
  parseManifest,
  type RawManifest,
  schema1Refused,
} from '../../model/manifest/manifest.ts';
import { bareMediaType } from '../../model/manifest/media-types.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { digestMismatch } from '../../registry/content.ts';
import type { PushManifestOptions } from '../../registry/registry.ts';
import { writeLink } from '../blobs/links.ts';
import { tagCurrentPath, tagIndexLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { areThere, requireReferences } from './references.ts';
import { holdsRevision, removeLostTags, storeRevision, withdrawRevision } from './revisions.ts';

/**
 * Stores a manifest: its bytes, its revision link, its referrer link, then its tags. The blobs it references are
 * checked again before the tags, and its own files after them: what was deleted meanwhile is written again, and if a
 * blob is gone the push is refused.
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
      `the manifest has ${bytes.length} bytes; at most ${store.maxManifestBytes} are accepted`,
    );
  }
  const mediaType = bareMediaType(raw.mediaType) || detectMediaType(bytes);
  const view = parseManifest({ mediaType, bytes });
  if (view.kind === 'schema1') throw schema1Refused('the manifest');
  const digest = await digestBytes(bytes, opts?.digest === undefined ? 'sha256' : digestAlgorithm(opts.digest));
  if (opts?.digest !== undefined && opts.digest !== digest) throw digestMismatch(opts.digest, digest);
  const descriptor = { mediaType, digest, size: bytes.length };
  return await store.marks.during(async () => {
    await store.marks.hold([digest, ...[...blobsOf(view), ...childrenOf(view)].map((entry) => entry.digest)]);
    if (await attempt(store, repo, descriptor, bytes, view, opts)) return descriptor;
    // The tags are written already: cancelling now would leave them without their manifest.
    const again = { ...opts, signal: undefined };
    try {
      while (!(await attempt(store, repo, descriptor, bytes, view, again)));
    } catch (error) {
      await removeLostTags(store, repo, digest);
      throw error;
    }
    return descriptor;
  });
}

/** @returns False if something was removed meanwhile. */
async function attempt(
  store: Store,
  repo: RepositoryName,
  { mediaType, digest }: Descriptor,
  bytes: Uint8Array,
  view: ManifestView,
  opts?: PushManifestOptions,
): Promise<boolean> {
  const sparse = store.sparseIndexes && opts?.sparse === true;
  const tags = opts?.tags ?? [];
  const links = store.sparse ? [] : await requireReferences(store, repo, view, sparse, opts?.signal);
  const revision = { repo, digest, subject: view.subject?.digest, bytes, mediaType };
  await storeRevision(store, revision);
  if (!(await areThere(store, links))) {
    await withdrawRevision(store, revision, tags);
    return false;
  }
  for (const tag of tags) {
    opts?.signal?.throwIfAborted();
    await writeLink(store, tagIndexLinkPath(repo, tag, digest), digest);
    await writeLink(store, tagCurrentPath(repo, tag), digest);
  }
  return await holdsRevision(store, revision);
}
