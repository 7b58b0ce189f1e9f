import { fileContent } from '../files/file-content.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { blobsOf, type Manifest, parseManifest, type RawManifest } from '../model/manifest/manifest.ts';
import { isDigestReference, type RepositoryName, type Tag } from '../model/reference/reference.ts';
import { blobDescriptor, type Content, sizeMismatch, verifiedContent } from '../registry/content.ts';
import type { BlobLocator, LocatedBlob } from '../registry/extensions.ts';
import { inlineContent } from '../registry/inline.ts';
import { checkRange } from '../registry/range.ts';
import type { GetBlobOptions, Reader } from '../registry/registry.ts';
import { findLinkedBlob, readLink, refuseUnfollowed } from './blobs/links.ts';
import type { StoredBlob } from './blobs/stored-blob.ts';
import { blamingStore, KnownSizes, refuseOtherSize, repairedByPull } from './collect/damage.ts';
import type { BlobUrlSigner, ObjectReader } from './driver.ts';
import { recallLinked } from './manifests/manifests.ts';
import { blobPath, layerLinkPath, revisionLinkPath, tagCurrentPath } from './paths.ts';
import type { Store } from './store.ts';

interface StorageReader extends Reader {
  /** @param signer Makes the URLs of blobs. */
  locator(signer: BlobUrlSigner): BlobLocator;
}

/** The reading part of a storage registry. */
export function createReader(store: Store): StorageReader {
  const sizes = new KnownSizes();

  async function findManifest(
    repo: RepositoryName,
    reference: Tag | Digest,
    ifNoneMatch?: Digest,
  ): Promise<{ digest: Digest; raw: RawManifest }> {
    const { digest, stored } = await findRevisionLink(store, repo, reference, ifNoneMatch);
    const raw = digest && stored && (await recallLinked(store, repo, digest, stored));
    if (digest !== undefined && raw !== undefined) return { digest, raw };
    // The tag may have been moved, and its old manifest deleted, between the two reads.
    const moved = digest !== undefined && (await resolve(store, repo, reference)) !== digest;
    if (moved) return await findManifest(repo, reference, ifNoneMatch);
    if (digest !== undefined) await refuseUnfollowed(store, revisionLinkPath(repo, digest));
    throw manifestUnknown(repo, reference);
  }

  async function findBlob(repo: RepositoryName, digest: Digest): Promise<StoredBlob> {
    const blob = await findLinkedBlob(store, repo, digest);
    if (blob === undefined) {
      await refuseUnfollowed(store, layerLinkPath(repo, digest));
      throw blobUnknown(repo, digest);
    }
    await sizes.check(store, digest, blob);
    return blob;
  }

  /** Like {@link findBlob}, for a blob that is read from its beginning: who opens it need not look at it before. */
  async function openWhole(repo: RepositoryName, digest: Digest): Promise<OpenBlob> {
    const stored = await readLink(store, layerLinkPath(repo, digest));
    const path = stored && blobPath(stored);
    const file = path && (await store.driver.open(path));
    if (stored === undefined || path === undefined || file === undefined) throw blobUnknown(repo, digest);
    const blob = { path, stored, size: file.size };
    return { blob, file: await unlessRefused(file, sizes.check(store, digest, blob)) };
  }

  return {
    async statBlob(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const blob = await findBlob(repo, digest);
      return blobDescriptor(digest, (await keepForManifest(store, repo, digest, blob)).size);
    },

    async getBlob(repo, wanted, opts) {
      opts?.signal?.throwIfAborted();
      const inline = await inlineContent(wanted, opts?.range);
      if (inline !== undefined) return inline;
      const digest = typeof wanted === 'string' ? wanted : wanted.digest;
      const find =
        opts?.range === undefined ? openWhole(repo, digest) : findBlob(repo, digest).then((blob) => ({ blob }));
      const found = await find.catch(async (error: unknown) => {
        if (typeof wanted !== 'string') await refuseLost(store, repo, digest);
        throw error;
      });
      return await openVerified(store, found, wanted, opts);
    },

    locator: (signer) => ({
      async locate(repo, digest, opts): Promise<LocatedBlob> {
        opts?.signal?.throwIfAborted();
        const blob = await findBlob(repo, digest);
        return {
          size: blob.size,
          url: ({ validMs }) => signer.url(blob.path, { validMs }),
          open: (how) => openVerified(store, { blob }, digest, how),
        };
      },
    }),

    async statManifest(repo, reference, opts) {
      opts?.signal?.throwIfAborted();
      const { digest, raw } = await findManifest(repo, reference);
      return { mediaType: raw.mediaType, digest, size: raw.bytes.length };
    },

    async getManifest(repo, reference, opts): Promise<Manifest> {
      opts?.signal?.throwIfAborted();
      const { digest, raw } = await findManifest(repo, reference, opts?.ifNoneMatch);
      const descriptor = { mediaType: raw.mediaType, digest, size: raw.bytes.length };
      const view = parseManifest(raw);
      for (const blob of blobsOf(view)) sizes.learn(blob.digest, blob.size);
      return { ...raw, descriptor, view };
    },
  };
}

// A client that checks whether a blob exists may be about to push a manifest that needs it.
async function keepForManifest(
  store: Store,
  repo: RepositoryName,
  digest: Digest,
  blob: StoredBlob,
): Promise<StoredBlob> {
  if (!store.marks.isLasting || store.marks.holds(digest)) return blob;
  try {
    await store.marks.hold([digest, blob.stored]);
  } catch {
    return blob; // a full disk must not prevent reading from it
  }
  const held = await findLinkedBlob(store, repo, digest);
  if (held === undefined) throw blobUnknown(repo, digest);
  return held;
}

/** The digest for a reference; undefined for an unknown tag. A digest is returned as it is, even if it is not stored. */
async function resolve(store: Store, repo: RepositoryName, reference: Tag | Digest): Promise<Digest | undefined> {
  return isDigestReference(reference) ? reference : await readLink(store, tagCurrentPath(repo, reference));
}

/**
 * The revision link that a reference leads to. Where a tag pointed before, both links are asked for at once. A manifest that
 * is pushed meanwhile has its revision link before its tag: what was not there yet is asked for again.
 */
async function findRevisionLink(
  store: Store,
  repo: RepositoryName,
  reference: Tag | Digest,
  ifNoneMatch: Digest | undefined,
): Promise<{ readonly digest: Digest | undefined; readonly stored?: Digest | undefined }> {
  const tag = isDigestReference(reference) ? undefined : tagCurrentPath(repo, reference);
  const last = tag && ifNoneMatch === undefined ? store.known?.lastTarget(tag) : undefined;
  const guess = last && readLink(store, revisionLinkPath(repo, last));
  guess?.catch(() => {}); // counts only if the tag still points there
  const digest = await resolve(store, repo, reference);
  if (digest === undefined) return { digest };
  if (digest === ifNoneMatch) throw new OciError('NOT_MODIFIED', `${repo} still has ${digest} there`);
  if (tag !== undefined) store.known?.pointsAt(tag, digest);
  const guessed = digest === last ? await guess : undefined;
  return { digest, stored: guessed ?? (await readLink(store, revisionLinkPath(repo, digest))) };
}

export function manifestUnknown(repo: RepositoryName, reference: Tag | Digest): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${repo} has no manifest ${reference}`);
}

export function blobUnknown(repo: RepositoryName, digest: Digest): OciError {
  return new OciError('BLOB_UNKNOWN', `${repo} has no blob ${digest}`);
}

// The descriptor comes from a manifest, which could not have been stored without the blob.
async function refuseLost(store: Store, repo: RepositoryName, digest: Digest): Promise<void> {
  const stored = await readLink(store, layerLinkPath(repo, digest));
  const path = stored && blobPath(stored);
  if (path === undefined || (await store.driver.stat(path)) !== undefined) return;
  throw new OciError('STORAGE_DAMAGED', `blob ${digest} is missing from ${store.name}: ${store.driver.name}/${path}`, {
    hint: `the store is damaged; ${repairedByPull}`,
  });
}

interface OpenBlob {
  readonly blob: StoredBlob;
  /** If it is open from its beginning already. */
  readonly file?: ObjectReader;
}

async function openVerified(
  store: Store,
  open: OpenBlob,
  wanted: Digest | Descriptor,
  opts: GetBlobOptions | undefined,
): Promise<Content> {
  const content = await openBlob(store, open, wanted, opts);
  const verify = opts?.range === undefined && opts?.verify !== false;
  return verify ? blamingStore(store, open.blob, await verifiedContent(content), opts) : content;
}

async function openBlob(
  store: Store,
  { blob, file }: OpenBlob,
  wanted: Digest | Descriptor,
  opts: GetBlobOptions | undefined,
): Promise<Content> {
  const range = opts?.range;
  const descriptor = typeof wanted === 'string' ? blobDescriptor(wanted, blob.size) : wanted;
  if (blob.size !== descriptor.size) {
    await file?.close();
    await refuseOtherSize(store, blob);
    throw sizeMismatch(descriptor, blob.size);
  }
  if (range !== undefined) checkRange(range, descriptor);
  const opened = file ?? (await store.driver.open(blob.path, range));
  if (opened === undefined) throw new OciError('BLOB_UNKNOWN', `blob ${descriptor.digest} was removed meanwhile`);
  return fileContent(descriptor, opened, opts);
}

async function unlessRefused(file: ObjectReader, check: Promise<void>): Promise<ObjectReader> {
  try {
    await check;
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
