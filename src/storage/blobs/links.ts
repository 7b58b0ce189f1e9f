import { type Digest, tryParseDigest } from '../../model/digest.ts';
import { isOciError, type OciError, unlessUnknown } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { damaged, repairedByPull } from '../collect/damage.ts';
import type { StorePath, Upload } from '../driver.ts';
import { blobPath, layerLinkPath, revisionLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';
import type { StoredBlob } from './stored-blob.ts';

/** Larger than the text of any digest. */
const maxLinkBytes = 512;
const maxComparedBytes = 1024 * 1024;

/**
 * Reads a link; undefined if there is none.
 *
 * @throws OciError STORAGE_DAMAGED naming the file if it holds no digest. The content becomes a path, so it must be checked.
 */
export async function readLink(store: Store, path: StorePath): Promise<Digest | undefined> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await store.driver.get(path, maxLinkBytes);
  } catch (error) {
    if (isOciError(error, 'TOO_LARGE')) throw noDigest(store, path);
    throw error;
  }
  if (bytes === undefined) return undefined;
  const digest = digestIn(bytes);
  if (digest === undefined) throw noDigest(store, path);
  return digest;
}

/** Like {@link readLink}, but a damaged link counts as absent: for callers that replace or remove it. */
export async function readSoundLink(store: Store, path: StorePath): Promise<Digest | undefined> {
  try {
    return await readLink(store, path);
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return undefined;
    throw error;
  }
}

/** Removes a link if it still names this digest; a newer link is kept. @returns Whether it was removed. */
export async function removeLink({ driver }: Store, path: StorePath, digest: Digest): Promise<boolean> {
  const bytes = await unlessUnknown(driver.get(path, maxLinkBytes), 'TOO_LARGE', 'STORAGE_DAMAGED');
  return bytes !== undefined && digestIn(bytes) === digest && (await driver.deleteIf(path, bytes));
}

/**
 * Removes a link that holds no digest. One that was written anew meanwhile is kept, unless it is much larger than a link.
 *
 * @returns Whether it was removed.
 */
export async function removeDamagedLink({ driver }: Store, path: StorePath): Promise<boolean> {
  const size = (await driver.stat(path))?.size;
  // A symbolic link or a directory has no bytes that could be compared.
  if (size === undefined || size > maxComparedBytes) return await driver.delete(path);
  const bytes = await unlessUnknown(driver.get(path, size), 'TOO_LARGE');
  return bytes !== undefined && digestIn(bytes) === undefined && (await driver.deleteIf(path, bytes));
}

export async function writeLink({ driver }: Store, path: StorePath, digest: Digest): Promise<void> {
  await driver.put(path, Buffer.from(digest));
}

/** The blob that a repository has for a digest, or undefined. */
export async function findLinkedBlob(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
): Promise<StoredBlob | undefined> {
  const stored = await readLink(store, layerLinkPath(repo, digest));
  return stored === undefined ? undefined : await findBlob(store, stored);
}

/** The manifest that a repository has for a digest, or undefined. */
export async function findRevision(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
): Promise<StoredBlob | undefined> {
  const stored = await readLink(store, revisionLinkPath(repo, digest));
  return stored === undefined ? undefined : await findBlob(store, stored);
}

/**
 * Called if no blob was found: reports that its file is a symbolic link, which is not followed.
 *
 * @throws OciError STORAGE_DAMAGED for a symbolic link.
 */
export async function refuseUnfollowed(store: Store, path: StorePath): Promise<void> {
  const stored = await readLink(store, path);
  if (stored !== undefined) await (await store.driver.open(blobPath(stored)))?.close();
}

/** A blob by its digest, whether a repository links to it or not. */
export async function findBlob({ driver }: Store, digest: Digest): Promise<StoredBlob | undefined> {
  const path = blobPath(digest);
  const facts = await driver.stat(path);
  return facts === undefined ? undefined : { path, stored: digest, size: facts.size };
}

/**
 * Links a stored blob into a repository, and protects it from collectors.
 *
 * @returns False if the blob is gone.
 */
export async function linkBlob(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
  blob: Pick<StoredBlob, 'stored' | 'path' | 'isNew'>,
): Promise<boolean> {
  await store.marks.hold([digest, blob.stored]);
  const isNew = blob.isNew === true;
  if (!isNew && (await store.driver.stat(blob.path)) === undefined) return false;
  const link = layerLinkPath(repo, digest);
  const linked = isNew ? undefined : await readSoundLink(store, link);
  if (linked !== blob.stored) await writeLink(store, link, blob.stored);
  return true;
}

/**
 * Turns a verified upload into a blob. The digest must be held. A stored blob of the right size is kept instead.
 *
 * @param opts.replace Replaces it nevertheless: it is damaged.
 */
export async function placeBlob(
  store: Store,
  upload: Upload,
  digest: Digest,
  { replace = false }: { readonly replace?: boolean | undefined } = {},
): Promise<StoredBlob> {
  const blob: StoredBlob = { path: blobPath(digest), stored: digest, size: upload.size };
  if (!replace && (await isPresent(store, blob))) {
    await upload.abort();
    return blob;
  }
  await upload.commit(blob.path);
  return { ...blob, isNew: true };
}

/** Stores a verified blob from memory. The digest must be held. A stored blob of the right size is kept instead. */
export async function storeBlob(store: Store, digest: Digest, bytes: Uint8Array): Promise<StoredBlob> {
  const { driver } = store;
  const blob: StoredBlob = { path: blobPath(digest), stored: digest, size: bytes.length };
  // Most blobs are new: then one request is enough.
  if (driver.isRemote && (await driver.putIfAbsent(blob.path, bytes))) return { ...blob, isNew: true };
  if (await isPresent(store, blob)) return blob;
  await driver.put(blob.path, bytes);
  return { ...blob, isNew: true };
}

async function isPresent({ driver }: Store, { path, size }: StoredBlob): Promise<boolean> {
  return (await driver.stat(path))?.size === size;
}

function digestIn(bytes: Uint8Array): Digest | undefined {
  return tryParseDigest(Buffer.from(bytes).toString('utf8').trim());
}

function noDigest(store: Store, path: StorePath): OciError {
  return damaged(store, path, 'does not hold a digest', `the store is damaged; ${repairedByPull}`);
}
