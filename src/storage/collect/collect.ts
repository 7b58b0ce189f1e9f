import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { CollectOptions, CollectResult, GarbageCollector } from '../../registry/extensions.ts';
import { walkBlobs } from '../blobs/blobs.ts';
import { readSoundLink } from '../blobs/links.ts';
import type { ObjectFacts } from '../driver.ts';
import { digestsIn } from '../listing.ts';
import { walkRepositories } from '../manifests/repositories.ts';
import { Collection } from '../marks/collection.ts';
import { blobPath, layerLinkPath, layersPath, repositoriesPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { abandonedMs, removeAbandonedUploads } from './abandoned.ts';
import { removeLostReferrers } from './lost-referrers.ts';
import { markRepository } from './mark.ts';
import { add, removePartials } from './partials.ts';
import { removeScraps } from './scraps.ts';
import { removeUntagged, untaggedManifests } from './untagged.ts';

/** Default grace period if a transfer of an earlier version is in progress: such transfers write no marks. */
const unmarkedGraceMs = 60 * 60 * 1_000;

/** A mark-and-sweep collector that runs beside readers and writers. Writers mark the blobs they rely on: marks/marks.ts. */
export function createCollector(store: Store): GarbageCollector {
  return {
    async collect(opts = {}) {
      opts.signal?.throwIfAborted();
      const collection = await Collection.begin(store.driver, { graceMs: opts.graceMs ?? 0 });
      try {
        return await new Sweep(store, collection, opts).run();
      } finally {
        await collection.end();
      }
    },
  };
}

class Sweep {
  readonly #store: Store;
  readonly #collection: Collection;
  readonly #opts: CollectOptions;
  readonly #dryRun: boolean;
  readonly #cutoff: number;
  readonly #unfinishedMs: number;
  /** Referenced by manifests. */
  readonly #needed = new Set<Digest>();
  /** Linked recently, but not referenced: the manifest that needs it may follow. */
  readonly #linked = new Set<Digest>();
  readonly #removed: { digest: Digest; size: number }[] = [];
  readonly #untagged: { repo: RepositoryName; digest: Digest }[] = [];
  readonly #unfinished = { count: 0, bytes: 0 };
  readonly #inUse = { count: 0, bytes: 0 };
  readonly #recent = { count: 0, bytes: 0 };
  #links = 0;
  #keptManifests = 0;

  constructor(store: Store, collection: Collection, opts: CollectOptions) {
    const graceMs = opts.graceMs ?? (collection.isWithUnmarked ? unmarkedGraceMs : 0);
    this.#store = store;
    this.#collection = collection;
    this.#opts = opts;
    this.#dryRun = opts.dryRun === true;
    this.#cutoff = graceMs > 0 ? collection.startedAt.getTime() - graceMs : Number.POSITIVE_INFINITY;
    this.#unfinishedMs = opts.unfinishedMs ?? abandonedMs;
  }

  async run(): Promise<CollectResult> {
    const { driver } = this.#store;
    for await (const repo of walkRepositories(driver, { withUploadsOnly: true })) {
      this.#opts.signal?.throwIfAborted();
      await this.#sweepRepository(repo);
    }
    await this.#sweepBlobs();
    const waits = { idleMs: this.#unfinishedMs, dryRun: this.#dryRun };
    const partials = await removePartials(this.#store, this.#collection, waits);
    add(this.#unfinished, partials.removed);
    add(this.#inUse, partials.inUse);
    const drafts = await driver.tidy?.(repositoriesPath, { dryRun: this.#dryRun });
    if (drafts !== undefined) add(this.#unfinished, drafts);
    return {
      removed: this.#removed,
      untagged: this.#untagged,
      links: this.#links,
      unfinished: this.#unfinished,
      kept: { inUse: this.#inUse, recent: this.#recent, manifests: this.#keptManifests },
    };
  }

  async #sweepRepository(repo: RepositoryName): Promise<void> {
    const { signal } = this.#opts;
    const store = this.#store;
    const untagged = this.#opts.untagged === true ? await this.#sweepManifests(repo) : undefined;
    const { named, stored } = await markRepository(store, repo, { signal, ...(untagged && { except: untagged }) });
    for (const digest of stored) this.#needed.add(digest);
    const waits = { now: this.#collection.startedAt, idleMs: this.#unfinishedMs, dryRun: this.#dryRun };
    add(this.#unfinished, await removeAbandonedUploads(store.driver, repo, waits));
    if (!this.#dryRun) await removeScraps(store, repo, this.#collection);
    if (!this.#dryRun) await removeLostReferrers(store, repo, this.#collection);
    await this.#sweepLinks(repo, named);
  }

  /** @returns The manifests that were removed, or would be. */
  async #sweepManifests(repo: RepositoryName): Promise<ReadonlyMap<Digest, unknown>> {
    const isYoung = (facts: ObjectFacts | undefined): boolean => this.#isYoung(facts);
    const { loose, recent } = await untaggedManifests(this.#store, repo, { isYoung, signal: this.#opts.signal });
    const gone = new Map<Digest, unknown>();
    await this.#collection.takeAway([...loose.keys()], async (digest) => {
      const view = loose.get(digest);
      if (view === undefined) return;
      if (!this.#dryRun) await removeUntagged(this.#store, repo, digest, view);
      gone.set(digest, view);
      this.#untagged.push({ repo, digest });
    });
    this.#keptManifests += recent + loose.size - gone.size;
    return gone;
  }

  async #sweepLinks(repo: RepositoryName, named: ReadonlySet<Digest>): Promise<void> {
    const { driver } = this.#store;
    const unneeded: Digest[] = [];
    for await (const digest of digestsIn(driver, layersPath(repo))) {
      if (named.has(digest)) continue;
      const link = layerLinkPath(repo, digest);
      if (this.#isYoung(await driver.stat(link))) this.#linked.add((await readSoundLink(this.#store, link)) ?? digest);
      else unneeded.push(digest);
    }
    await this.#collection.takeAway(unneeded, async (digest) => {
      if (this.#dryRun || (await driver.delete(layerLinkPath(repo, digest)))) this.#links += 1;
    });
  }

  async #sweepBlobs(): Promise<void> {
    const { signal } = this.#opts;
    const sizes = new Map<Digest, number>();
    for await (const blob of walkBlobs(this.#store, { signal, except: this.#needed, repair: !this.#dryRun })) {
      const { digest, size } = blob;
      if (this.#linked.has(digest) || this.#isYoung(blob)) add(this.#recent, { count: 1, bytes: size });
      else sizes.set(digest, size);
    }
    const inUse = new Map(sizes);
    await this.#collection.takeAway([...sizes.keys()], async (digest) => {
      signal?.throwIfAborted();
      inUse.delete(digest);
      if (!this.#dryRun && !(await this.#store.driver.delete(blobPath(digest)))) return;
      this.#removed.push({ digest, size: sizes.get(digest) ?? 0 });
    });
    for (const size of inUse.values()) add(this.#inUse, { count: 1, bytes: size });
  }

  #isYoung(facts: ObjectFacts | undefined): boolean {
    return facts !== undefined && facts.storedAt.getTime() >= this.#cutoff;
  }
}
