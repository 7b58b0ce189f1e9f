import type { Digest } from '../../model/digest.ts';
import { type RepositoryName, tryParseTag } from '../../model/reference/reference.ts';
import type { Tally } from '../../registry/extensions.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { atOnce } from '../at-once.ts';
import { walkBlobs } from '../blobs/blobs.ts';
import { readsAtOnce } from '../collect/graph.ts';
import { DigestTable } from '../digests/digest-table.ts';
import { SizedDigests } from '../digests/sized-digests.ts';
import { digestsIn, entriesIn } from '../listing.ts';
import { isUnreadable, walkRepositories } from '../manifests/repositories.ts';
import {
  isUploadId,
  layersPath,
  revisionLinkPath,
  revisionsPath,
  tagCurrentPath,
  tagsPath,
  uploadDataPath,
  uploadsPath,
} from '../paths.ts';
import type { Store } from '../store.ts';

/** Sizes are in bytes. */
interface RepositoryStats {
  readonly name: RepositoryName;
  readonly tags: number;
  readonly manifests: number;
  /** Its blobs and manifests; those that other repositories have too count as well. */
  readonly blobs: number;
  readonly bytes: number;
}

export interface StoreStats {
  readonly repositories: number;
  readonly tags: number;
  readonly manifests: number;
  readonly blobs: Tally;
  /** Blobs that several repositories have: each counted once. */
  readonly shared: Tally;
  /** Blobs that no repository has. The next collection removes them. */
  readonly unlinked: Tally;
  /** What cannot be read, because something else is in its place or for lack of permissions: tags, repositories, and directories of blobs. It is not counted. */
  readonly unreadable: readonly string[];
  /** Upload sessions that are not finished. */
  readonly uploads: Tally;
  /** The largest, the first one first. */
  readonly largestRepositories: readonly RepositoryStats[];
  readonly largestBlobs: readonly { readonly digest: Digest; readonly size: number; readonly repositories: number }[];
}

/** Adds up what a store holds. Nothing is changed, and no manifest is read. @param opts.limit Length of the lists. */
export async function storeStats(
  store: Store,
  { limit, signal }: SignalOption & { readonly limit: number },
): Promise<StoreStats> {
  const blobs = new SizedDigests();
  const all = { count: 0, bytes: 0 };
  const unreadable: string[] = [];
  const onUnreadable = (what: string): void => {
    if (!unreadable.includes(what)) unreadable.push(what);
  };
  for await (const { digest, size } of walkBlobs(store, { signal, onHidden: onUnreadable })) {
    blobs.set(digest, size);
    all.count += 1;
    all.bytes += size;
  }
  const readable: Readable = async (what, read) => {
    try {
      return await read();
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      onUnreadable(what);
      return undefined;
    }
  };
  const sums = { repositories: 0, tags: 0, manifests: 0 };
  const uploads = { count: 0, bytes: 0 };
  const repositories = new Largest<RepositoryStats>(limit, ({ bytes }) => bytes);
  for await (const name of walkRepositories(store.driver, { withUploadsOnly: true, onUnreadable })) {
    signal?.throwIfAborted();
    const stats = await readable(name, () => repositoryStats(store, name, { blobs, readable, signal }));
    await readable(name, () => addUploads(store, name, uploads));
    if (stats === undefined) continue;
    sums.repositories += 1;
    sums.tags += stats.tags;
    sums.manifests += stats.manifests;
    repositories.offer(stats);
  }
  const largest = new Largest<StoreStats['largestBlobs'][number]>(limit, ({ size }) => size);
  const [shared, unlinked] = [
    { count: 0, bytes: 0 },
    { count: 0, bytes: 0 },
  ];
  for (const { digest, size, holders } of blobs.entries()) {
    largest.offer({ digest, size, repositories: holders });
    const tally = holders === 0 ? unlinked : holders > 1 ? shared : undefined;
    if (tally === undefined) continue;
    tally.count += 1;
    tally.bytes += size;
  }
  return {
    ...sums,
    blobs: all,
    shared,
    unlinked,
    unreadable: unreadable.sort(),
    uploads,
    largestRepositories: repositories.items,
    largestBlobs: largest.items,
  };
}

/** Reads something, and remembers it if that is not possible. */
type Readable = <T>(what: string, read: () => Promise<T>) => Promise<T | undefined>;

interface Counting extends SignalOption {
  readonly blobs: SizedDigests;
  readonly readable: Readable;
}

async function repositoryStats({ driver }: Store, name: RepositoryName, { blobs, readable, signal }: Counting) {
  const own = new DigestTable();
  let [tags, manifests] = [0, 0];
  await atOnce(entriesIn(driver, tagsPath(name)), readsAtOnce, async (entry) => {
    signal?.throwIfAborted();
    const tag = tryParseTag(entry.name);
    if (tag === undefined) return;
    const facts = await readable(`${name}:${tag}`, () => driver.stat(tagCurrentPath(name, tag)));
    if (facts !== undefined) tags += 1;
  });
  await atOnce(digestsIn(driver, revisionsPath(name)), readsAtOnce, async (digest) => {
    if ((await driver.stat(revisionLinkPath(name, digest))) === undefined) return;
    manifests += 1;
    own.add(digest);
  });
  for await (const digest of digestsIn(driver, layersPath(name))) own.add(digest);
  if (own.size === 0 && tags === 0) return undefined;
  let bytes = 0;
  for (const digest of own) {
    blobs.hold(digest);
    bytes += blobs.sizeOf(digest) ?? 0;
  }
  return { name, tags, manifests, blobs: own.size, bytes };
}

async function addUploads({ driver }: Store, name: RepositoryName, to: { count: number; bytes: number }) {
  for await (const entry of entriesIn(driver, uploadsPath(name))) {
    if (entry.kind !== 'prefix' || !isUploadId(entry.name)) continue;
    const data = await driver.uploads.find(uploadDataPath(name, entry.name));
    to.count += 1;
    to.bytes += data?.size ?? 0;
  }
}

/** The largest of many, in order. */
class Largest<T> {
  #items: T[] = [];
  readonly #limit: number;
  readonly #sizeOf: (item: T) => number;

  constructor(limit: number, sizeOf: (item: T) => number) {
    this.#limit = limit;
    this.#sizeOf = sizeOf;
  }

  get items(): readonly T[] {
    return this.#sorted();
  }

  // Sorted only now and then: there may be millions.
  offer(item: T): void {
    this.#items.push(item);
    if (this.#items.length > 2 * this.#limit + 100) this.#items = this.#sorted();
  }

  #sorted(): T[] {
    return this.#items.sort((a, b) => this.#sizeOf(b) - this.#sizeOf(a)).slice(0, this.#limit);
  }
}
