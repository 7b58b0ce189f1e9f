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
import { findRevision } from '../blobs/links.ts';
import { damaged, repairedByPull } from '../collect/damage.ts';
import type { StorePath } from '../driver.ts';
import { isAnyBelow } from '../listing.ts';
import { layersPath, manifestsPath, mediaTypePath } from '../paths.ts';
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
  const blob = await findRevision(store, repo, digest);
  const bytes = blob === undefined ? undefined : await readSound(store, blob.path, store.maxManifestBytes);
  if (blob === undefined || bytes === undefined) return undefined;
  const got = await digestBytes(bytes, digestAlgorithm(digest));
  if (got !== digest)
    throw damaged(store, blob.path, `is ${got}, not manifest ${digest}`, `the store is damaged; ${repairedByPull}`);
  return { mediaType: await mediaTypeOf(store, repo, digest, bytes), bytes };
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

export function nameUnknown(repo: RepositoryName): OciError {
  return new OciError('NAME_UNKNOWN', `there is no repository ${repo}`);
}

async function mediaTypeOf(store: Store, repo: RepositoryName, digest: Digest, bytes: Uint8Array): Promise<string> {
  const kept = await readSound(store, mediaTypePath(repo, digest), maxMediaTypeBytes);
  const told = kept === undefined ? '' : bareMediaType(Buffer.from(kept).toString('utf8'));
  if (told !== '') return told;
  try {
    return receiveManifest('', bytes).mediaType;
  } catch (error) {
    // A malformed manifest was stored: the caller that parses it gets the error.
    if (isOciError(error)) return impliedMediaType(bytes) ?? mediaTypes.octetStream;
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
