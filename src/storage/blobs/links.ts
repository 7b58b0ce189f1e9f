import { type Digest, tryParseDigest } from '../../model/digest.ts';
import { isOciError, type OciError, unlessUnknown } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { damaged, repairedByPull } from '../collect/damage.ts';
import type { StorePath, Upload } from '../driver.ts';
import { blobPath, layerLinkPath, revisionLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';
import type { StoredBlob } from './stored-blob.ts';

/** More than any digest's text. */
const maxLinkBytes = 512;

/**
 * Reads a link, or gives undefined where there is none.
 *
 * @throws OciError STORAGE_DAMAGED naming the file when its content is no digest: it becomes a path (traversal).
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

/** As {@link readLink}, but a damaged link is none: for whoever replaces or removes it. */
export async function readSoundLink(store: Store, path: StorePath): Promise<Digest | undefined> {
  try {
    return await readLink(store, path);
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return undefined;
    throw error;
  }
}

/** Removes a link while it names a digest: another one that was written meanwhile stays. @returns Whether it did. */
export async function removeLink({ driver }: Store, path: StorePath, digest: Digest): Promise<boolean> {
  const bytes = await unlessUnknown(driver.get(path, maxLinkBytes), 'TOO_LARGE', 'STORAGE_DAMAGED');
  return bytes !== undefined && digestIn(bytes) === digest && (await driver.deleteIf(path, bytes));
}

export async function writeLink({ driver }: Store, path: StorePath, digest: Digest): Promise<void> {
  await driver.put(path, Buffer.from(digest));
}

/** The blob that a repository holds under a digest, or undefined. */
export async function findLinkedBlob(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
): Promise<StoredBlob | undefined> {
  const stored = await readLink(store, layerLinkPath(repo, digest));
  return stored === undefined ? undefined : await findBlob(store, stored);
}

/** The manifest that a repository holds under a digest, or undefined. */
export async function findRevision(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
): Promise<StoredBlob | undefined> {
  const stored = await readLink(store, revisionLinkPath(repo, digest));
  return stored === undefined ? undefined : await findBlob(store, stored);
}

/**
 * Tells whoever has found no blob that it is one which is not looked at.
 *
 * @throws OciError STORAGE_DAMAGED for a symbolic link.
 */
export async function refuseUnfollowed(store: Store, path: StorePath): Promise<void> {
  const stored = await readLink(store, path);
  if (stored !== undefined) await (await store.driver.open(blobPath(stored)))?.close();
}

/** A blob of any repository. */
export async function findBlob({ driver }: Store, digest: Digest): Promise<StoredBlob | undefined> {
  const path = blobPath(digest);
  const facts = await driver.stat(path);
  return facts === undefined ? undefined : { path, stored: digest, size: facts.size };
}

/**
 * Brings a blob that is in the store into a repository, and keeps it from collectors.
 *
 * @returns False when the blob is gone.
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

/** Makes a verified upload a blob, which has to be held; one of the right size that is there already stays. */
export async function placeBlob(store: Store, upload: Upload, digest: Digest): Promise<StoredBlob> {
  const blob: StoredBlob = { path: blobPath(digest), stored: digest, size: upload.size };
  if (await isPresent(store, blob)) {
    await upload.abort();
    return blob;
  }
  await upload.commit(blob.path);
  return { ...blob, isNew: true };
}

/** Stores a verified blob that is in memory, and is held; one of the right size that is there already stays. */
export async function storeBlob(store: Store, digest: Digest, bytes: Uint8Array): Promise<StoredBlob> {
  const blob: StoredBlob = { path: blobPath(digest), stored: digest, size: bytes.length };
  if (await isPresent(store, blob)) return blob;
  await store.driver.put(blob.path, bytes);
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
