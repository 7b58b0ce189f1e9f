/**
 * A manifest in a repository: its bytes, its media type if the bytes do not tell it, its revision link, its referrer link.
 */
import type { Digest } from '../../model/digest.ts';
import { unlessUnknown } from '../../model/errors.ts';
import { childrenOf, impliedMediaType } from '../../model/manifest/manifest.ts';
import { type RepositoryName, type Tag, tryParseTag } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { findBlob, readSoundLink, removeLink, writeLink } from '../blobs/links.ts';
import type { StoredBlob } from '../blobs/stored-blob.ts';
import { digestsIn, entriesIn } from '../listing.ts';
import {
  blobPath,
  childPath,
  mediaTypePath,
  pinPath,
  referrerLinkPath,
  revisionLinkPath,
  revisionsPath,
  tagCurrentPath,
  tagPath,
  tagsPath,
} from '../paths.ts';
import type { Store } from '../store.ts';
import { loadManifest, tryParseManifest } from './manifests.ts';

interface Revision {
  readonly repo: RepositoryName;
  readonly digest: Digest;
  readonly subject: Digest | undefined;
}

interface RevisionContent extends Revision {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** Each step is consistent by itself, so that a crash leaves nothing half visible. */
export async function storeRevision(store: Store, revision: RevisionContent): Promise<void> {
  const { repo, digest, subject } = revision;
  await storeBytes(store, revision);
  // distribution detects the type from the bytes. Only a type that cannot be detected needs a file.
  const typed = mediaTypePath(repo, digest);
  if (needsMediaType(revision)) await store.driver.put(typed, Buffer.from(revision.mediaType));
  else if ((await store.driver.stat(typed)) !== undefined) await store.driver.delete(typed);
  await writeLink(store, revisionLinkPath(repo, digest), digest);
  if (subject !== undefined) await writeLink(store, referrerLinkPath(repo, subject, digest), digest);
}

/** Whether a revision is still stored completely. Its bytes are not checked: they are held. */
export async function holdsRevision({ driver }: Store, revision: RevisionContent): Promise<boolean> {
  const { repo, digest } = revision;
  if ((await driver.stat(revisionLinkPath(repo, digest))) === undefined) return false;
  return !needsMediaType(revision) || (await driver.stat(mediaTypePath(repo, digest))) !== undefined;
}

/**
 * Removes a revision and the tags that point at it. The revision link goes last: a writer that still finds it knows
 * that everything else was there. Then tags are searched again, for one that was written meanwhile.
 */
export async function removeRevision(store: Store, revision: Revision, opts?: SignalOption): Promise<void> {
  const { repo, digest } = revision;
  for await (const { tag, target } of targetsOfTags(store, repo, opts)) {
    if (target === digest) await removeTag(store, repo, tag, digest);
  }
  await store.driver.delete(pinPath(repo, digest));
  await removeParts(store, revision);
  await removeLostTags(store, repo, digest);
}

/**
 * Removes a revision, unless a tag points at it. After the removal tags and indexes are searched again: if one that needs it
 * was written meanwhile, the revision is restored. What it references must be held, or a collector may remove that in
 * between.
 *
 * @returns Whether it was removed.
 */
export async function removeUntagged(store: Store, revision: RevisionContent, opts?: SignalOption): Promise<boolean> {
  if (await isTagged(store, revision, opts)) return false;
  await removeParts(store, revision);
  if ((await isTagged(store, revision)) || (await isNamedByIndex(store, revision))) {
    await storeRevision(store, revision);
    return false;
  }
  await store.driver.delete(pinPath(revision.repo, revision.digest));
  return true;
}

/** Whether a tag points at a revision. */
export async function isTagged(store: Store, { repo, digest }: Revision, opts?: SignalOption): Promise<boolean> {
  for await (const { target } of targetsOfTags(store, repo, opts)) if (target === digest) return true;
  return false;
}

async function isNamedByIndex(store: Store, { repo, digest }: Revision): Promise<boolean> {
  for await (const other of digestsIn(store.driver, revisionsPath(repo))) {
    const raw = await unlessUnknown(loadManifest(store, repo, other), 'MANIFEST_UNKNOWN', 'STORAGE_DAMAGED');
    // Most manifests do not contain it, and need not be parsed.
    if (raw === undefined || !Buffer.from(raw.bytes).includes(digest)) continue;
    const view = tryParseManifest(raw);
    if (view !== undefined && childrenOf(view).some((child) => child.digest === digest)) return true;
  }
  return false;
}

/** Removes the tags whose manifest is missing: those of one manifest, or all. */
export async function removeLostTags(store: Store, repo: RepositoryName, only?: Digest): Promise<void> {
  for await (const { tag, target } of targetsOfTags(store, repo)) {
    if (target === undefined || (only !== undefined && target !== only)) continue;
    await removeLostTag(store, repo, tag, target);
  }
}

// If the manifest is pushed again between check and removal, its tag is restored, because that push saw the tag.
async function removeLostTag(store: Store, repo: RepositoryName, tag: Tag, target: Digest): Promise<void> {
  const { driver } = store;
  const isLost = async () => (await driver.stat(revisionLinkPath(repo, target))) === undefined;
  while (await isLost()) {
    if (!(await removeLink(store, tagCurrentPath(repo, tag), target))) return;
    if (await isLost()) return await removeHistory(store, repo, tag);
    if (!(await driver.putIfAbsent(tagCurrentPath(repo, tag), Buffer.from(target)))) return;
  }
}

/** Removes what a refused push has written, unless other tags point at it. What it references must be held. */
export async function withdrawRevision(store: Store, revision: RevisionContent, own: readonly Tag[]): Promise<void> {
  for (const tag of own) await removeTag(store, revision.repo, tag, revision.digest);
  await removeUntagged(store, revision);
}

/** Removes the history of a tag whose current link was removed, unless the tag exists again. */
export async function removeHistory({ driver, listed }: Store, repo: RepositoryName, tag: Tag): Promise<void> {
  listed.removed(repo);
  if ((await driver.stat(tagCurrentPath(repo, tag))) !== undefined) return;
  for await (const entry of entriesIn(driver, tagPath(repo, tag), { deep: true })) {
    if (!entry.name.startsWith('current/')) await driver.delete(childPath(tagPath(repo, tag), entry));
  }
}

async function removeParts({ driver }: Store, { repo, digest, subject }: Revision): Promise<void> {
  if (subject !== undefined) await driver.delete(referrerLinkPath(repo, subject, digest));
  await driver.delete(mediaTypePath(repo, digest));
  await driver.delete(revisionLinkPath(repo, digest));
}

// A damaged tag counts as pointing at nothing, so that it does not prevent deletions in the repository.
async function* targetsOfTags(
  store: Store,
  repo: RepositoryName,
  opts?: SignalOption,
): AsyncGenerator<{ readonly tag: Tag; readonly target: Digest | undefined }> {
  for await (const { name } of entriesIn(store.driver, tagsPath(repo))) {
    opts?.signal?.throwIfAborted();
    const tag = tryParseTag(name);
    if (tag !== undefined) yield { tag, target: await readSoundLink(store, tagCurrentPath(repo, tag)) };
  }
}

/** Removes a tag if it points at this manifest. @returns Whether it did. */
export async function removeTag(store: Store, repo: RepositoryName, tag: Tag, target: Digest): Promise<boolean> {
  if (!(await removeLink(store, tagCurrentPath(repo, tag), target))) return false;
  await removeHistory(store, repo, tag);
  return true;
}

function needsMediaType({ bytes, mediaType }: RevisionContent): boolean {
  return impliedMediaType(bytes) !== mediaType;
}

async function storeBytes(store: Store, { digest, bytes }: RevisionContent): Promise<void> {
  const present = await findBlob(store, digest);
  // The bytes are compared, so that pushing a manifest again repairs a damaged file.
  if (present?.size === bytes.length && (await holds(store, present, bytes))) return;
  await store.driver.put(blobPath(digest), bytes);
}

async function holds({ driver }: Store, { path }: StoredBlob, bytes: Uint8Array): Promise<boolean> {
  const there = await driver.get(path, bytes.length);
  return there !== undefined && Buffer.compare(there, bytes) === 0;
}
