import { type Digest, digestAlgorithm, digestBytes } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import {
  impliedMediaType,
  type ManifestView,
  parseManifest,
  type RawManifest,
  receiveManifest,
} from '../../model/manifest/manifest.ts';
import { bareMediaType, mediaTypes } from '../../model/manifest/media-types.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { readLink } from '../blobs/links.ts';
import { damaged, repairedByPull } from '../collect/damage.ts';
import type { StorePath } from '../driver.ts';
import { isAnyBelow } from '../listing.ts';
import { blobPath, layersPath, manifestsPath, mediaTypePath, revisionLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';

const maxMediaTypeBytes = 1_024;

/**
 * Reads a manifest of a repository; undefined if there is none.
 *
 * @throws OciError STORAGE_DAMAGED naming the file if it has other content, or is larger than a manifest may be
 */
export async function loadManifest(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
): Promise<RawManifest | undefined> {
  const stored = await readLink(store, revisionLinkPath(repo, digest));
  return stored === undefined ? undefined : await loadLinked(store, repo, digest, stored);
}

/** Like {@link loadManifest}. @param stored What the revision link holds. */
export async function loadLinked(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
  stored: Digest,
): Promise<RawManifest | undefined> {
  const path = blobPath(stored);
  const bytes = await readSound(store, path, store.maxManifestBytes);
  if (bytes === undefined) return undefined;
  const got = await digestBytes(bytes, digestAlgorithm(digest));
  if (got !== digest)
    throw damaged(store, path, `is ${got}, not manifest ${digest}`, `the store is damaged; ${repairedByPull}`);
  return { mediaType: await mediaTypeOf(store, repo, digest, bytes), bytes };
}

/** Like {@link loadLinked}, for callers to whom damage of a file does not matter whose content they have read seconds ago. */
export async function recallLinked(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
  stored: Digest,
): Promise<RawManifest | undefined> {
  const known = store.known?.get(digest);
  if (known !== undefined) return known;
  const raw = await loadLinked(store, repo, digest, stored);
  if (raw !== undefined && store.known && detectType(raw.bytes).isTyped) store.known.learn(digest, raw);
  return raw;
}

/** Whether a repository was written to, and not removed since. */
export async function repositoryExists({ driver }: Store, repo: RepositoryName): Promise<boolean> {
  return (await isAnyBelow(driver, manifestsPath(repo))) || (await isAnyBelow(driver, layersPath(repo)));
}

/** Whether an entry below a repository's prefix shows that the repository exists. */
export function isRepositoryPart(entry: { readonly name: string }): boolean {
  return entry.name === '_manifests' || entry.name === '_layers';
}

/** A parsed manifest, or undefined if the bytes do not fit their type. */
export function tryParseManifest(raw: RawManifest): ManifestView | undefined {
  try {
    return parseManifest(raw);
  } catch (error) {
    if (isOciError(error)) return undefined;
    throw error;
  }
}

/**
 * Why no client can use a stored manifest; undefined if it is sound, gone, or of a type that is unknown here.
 *
 * @returns STORAGE_DAMAGED for one that is too large, MANIFEST_INVALID for bytes that do not fit their type.
 */
export async function whyInvalid(store: Store, repo: RepositoryName, digest: Digest): Promise<OciError | undefined> {
  try {
    const raw = await loadManifest(store, repo, digest);
    if (raw === undefined) return undefined;
    // Without a type of its own it must tell what it is.
    if (raw.mediaType === mediaTypes.octetStream) receiveManifest('', raw.bytes);
    else parseManifest(raw);
    return undefined;
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED', 'MANIFEST_INVALID')) return error;
    throw error;
  }
}

export function nameUnknown(repo: RepositoryName): OciError {
  return new OciError('NAME_UNKNOWN', `there is no repository ${repo}`);
}

async function mediaTypeOf(store: Store, repo: RepositoryName, digest: Digest, bytes: Uint8Array): Promise<string> {
  const detected = detectType(bytes);
  // Only a manifest that does not name its type can have been stored with another: it costs a request to look.
  if (detected.isTyped) return detected.mediaType;
  const kept = await readSound(store, mediaTypePath(repo, digest), maxMediaTypeBytes);
  const told = kept === undefined ? '' : bareMediaType(Buffer.from(kept).toString('utf8'));
  return told === '' ? detected.mediaType : told;
}

function detectType(bytes: Uint8Array): { readonly mediaType: string; readonly isTyped: boolean } {
  try {
    return receiveManifest('', bytes);
  } catch (error) {
    // A malformed manifest was stored: the caller that parses it gets the error.
    if (isOciError(error)) return { mediaType: impliedMediaType(bytes) ?? mediaTypes.octetStream, isTyped: false };
    throw error;
  }
}

// A stored file that is too large is damage of the store, not an error of the request.
async function readSound(store: Store, path: StorePath, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    return await store.driver.get(path, maxBytes);
  } catch (error) {
    if (isOciError(error, 'TOO_LARGE')) {
      throw damaged(
        store,
        path,
        `has more than the ${maxBytes} bytes allowed`,
        `the store is damaged; ${repairedByPull}`,
      );
    }
    throw error;
  }
}
