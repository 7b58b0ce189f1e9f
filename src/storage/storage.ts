import { checkOptions, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { checkNumbers } from '../model/number-options.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import {
  type BlobSizes,
  blobChecker,
  blobEnumerator,
  blobLocator,
  blobSizes,
  type ExtensionKey,
  garbageCollector,
  type Leases,
  leases,
  manifestEnumerator,
  type Pins,
  pins,
  repositoryRemover,
  storageCheck,
  tagHistory,
  tagRemover,
  type UploadSweeper,
  untaggedRemover,
  uploadSweeper,
} from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { walkBlobs } from './blobs/blobs.ts';
import { createBlobChecker } from './blobs/checker.ts';
import { findLinkedBlob, readLink } from './blobs/links.ts';
import { sweepUploads } from './collect/abandoned.ts';
import { createCollector } from './collect/collect.ts';
import { createDeleter } from './deleter.ts';
import type { BlobUrlSigner, Driver } from './driver.ts';
import { createLister } from './lister.ts';
import { digestsIn } from './listing.ts';
import { nameUnknown, repositoryExists } from './manifests/manifests.ts';
import { openStore, type StorageOptions } from './open-store.ts';
import {
  blobsPath,
  pinPath,
  revisionLinkPath,
  revisionsPath,
  tagCurrentPath,
  tagIndexLinkPath,
  tagIndexPath,
} from './paths.ts';
import { createReader, manifestUnknown } from './reader.ts';
import type { Store } from './store.ts';

export type { StorageOptions };

import { createWriter } from './writer.ts';

const createStorageShape: Shape<StorageOptions> = {
  driver: 'object',
  name: 'string',
  sparseIndexes: 'boolean',
  sparse: 'boolean',
  maxManifestBytes: 'number',
  keepUnusedMs: 'number',
  blobUrls: 'object',
  now: 'function',
};

/**
 * A registry that stores its content with a driver, in the layout of distribution (see paths.ts).
 *
 * Errors besides those of {@link Registry}: STORAGE_DAMAGED for a link file that holds no digest.
 */
export function createStorage(options: StorageOptions): Registry {
  checkOptions('createStorage', options, createStorageShape, ['driver']);
  checkNumbers(options, { maxManifestBytes: 1, keepUnusedMs: 0 });
  const { driver } = options;
  const store = openStore(options);
  const { removeRepository, removeTag, removeUntagged, ...deleter } = createDeleter(store);
  const extensions = new Map<ExtensionKey<unknown>, unknown>([
    [blobEnumerator, { blobs: (opts?: SignalOption) => blobs(store, opts) }],
    [manifestEnumerator, { manifests: (repo: RepositoryName, opts?: SignalOption) => manifests(store, repo, opts) }],
    [
      blobSizes,
      { sizeOf: async (repo, digest) => (await findLinkedBlob(store, repo, digest))?.size } satisfies BlobSizes,
    ],
    [storageCheck, { check: async () => void (await (driver.check?.() ?? driver.stat(blobsPath))) }],
    [tagHistory, { history: (repo: RepositoryName, tag: Tag, opts?: SignalOption) => history(store, repo, tag, opts) }],
  ]);
  const { locator, ...reader } = createReader(store);
  const signer = options.blobUrls ?? (makesUrls(driver) ? driver : undefined);
  if (signer) extensions.set(blobLocator, locator(signer));
  if (!driver.readOnly) {
    extensions.set(repositoryRemover, { removeRepository });
    extensions.set(tagRemover, { removeTag });
    extensions.set(untaggedRemover, { removeUntagged });
    extensions.set(garbageCollector, createCollector(store));
    const sweeper: UploadSweeper = { sweepUploads: (opts) => sweepUploads(store, opts) };
    extensions.set(uploadSweeper, sweeper);
    extensions.set(blobChecker, createBlobChecker(store));
    extensions.set(leases, leasesOf(store));
    const pinning: Pins = { pin: (repo, digest) => driver.put(pinPath(repo, digest), new Uint8Array(0)) };
    extensions.set(pins, pinning);
  }
  return {
    name: store.name,
    ...reader,
    ...createWriter(store),
    ...deleter,
    ...createLister(store),
    async ping(opts) {
      opts?.signal?.throwIfAborted();
      return { authorized: true, challenges: [] };
    },
    // The key's type is the type of the value: the map above is filled that way.
    extension: <T>(key: ExtensionKey<T>) => extensions.get(key) as T | undefined,
  };
}

function makesUrls(driver: Driver): driver is Driver & BlobUrlSigner {
  return driver.url !== undefined;
}

function leasesOf({ marks }: Store): Leases {
  return {
    async lease(opts) {
      opts?.signal?.throwIfAborted();
      return marks.lease();
    },
  };
}

async function* blobs(store: Store, opts?: SignalOption): AsyncGenerator<{ digest: Digest; size: number }> {
  for await (const { digest, size } of walkBlobs(store, opts)) yield { digest, size };
}

async function* manifests(store: Store, repo: RepositoryName, opts?: SignalOption): AsyncGenerator<Digest> {
  if (!(await repositoryExists(store, repo))) throw nameUnknown(repo);
  for await (const digest of digestsIn(store.driver, revisionsPath(repo))) {
    opts?.signal?.throwIfAborted();
    if ((await store.driver.stat(revisionLinkPath(repo, digest))) !== undefined) yield digest;
  }
}

// Newest first. A digest that a tag pointed to twice is listed once, at the later time.
async function* history(store: Store, repo: RepositoryName, tag: Tag, opts?: SignalOption): AsyncGenerator<Digest> {
  const current = await readLink(store, tagCurrentPath(repo, tag));
  if (current === undefined) throw manifestUnknown(repo, tag);
  const entries: { digest: Digest; at: Date }[] = [];
  for await (const digest of digestsIn(store.driver, tagIndexPath(repo, tag))) {
    opts?.signal?.throwIfAborted();
    const facts = await store.driver.stat(tagIndexLinkPath(repo, tag, digest));
    if (facts !== undefined) entries.push({ digest, at: facts.storedAt });
  }
  const rank = ({ digest, at }: (typeof entries)[number]): number => (digest === current ? Infinity : at.getTime());
  entries.sort((a, b) => rank(b) - rank(a));
  for (const { digest } of entries) yield digest;
}
