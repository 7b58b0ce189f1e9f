import type { Digest } from '../../model/digest.ts';
import type { OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { CollectOptions, CollectResult, GarbageCollector } from '../../registry/extensions.ts';
import { walkBlobs } from '../blobs/blobs.ts';
import { DigestTable } from '../digests/digest-table.ts';
import { SizedDigests } from '../digests/sized-digests.ts';
import type { ObjectFacts } from '../driver.ts';
import { deleteAll } from '../listing.ts';
import { walkRepositories } from '../manifests/repositories.ts';
import { Collection } from '../marks/collection.ts';
import { blobPath, partialsPath, repositoriesPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { abandonedMs, hasAbandonedUploads, removeAbandonedUploads, removeLeft } from './abandoned.ts';
import { add, removePartials } from './partials.ts';
import { type Findings, type Kept, surveyRepository } from './survey.ts';
import { type SweepOptions, sweepLinks, sweepManifests, sweepScraps } from './sweep-repository.ts';

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

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class Sweep {
  readonly #store: Store;
  readonly #collection: Collection;
  readonly #signal: AbortSignal | undefined;
  readonly #cutoff: number;
  readonly #waits: { readonly now: Date; readonly idleMs: number; readonly dryRun: boolean };
  readonly #opts: SweepOptions;
  readonly #onRemoved: NonNullable<CollectOptions['onRemoved']>;
  readonly #kept: Kept = { needed: new DigestTable(), linked: new DigestTable(), unneeded: new DigestTable() };
  /** Blobs that no manifest needs. */
  readonly #unneeded = new SizedDigests();
  readonly #removed: Writable<CollectResult>['removed'][number][] = [];
  readonly #untagged: Writable<CollectResult>['untagged'][number][] = [];
  readonly #freed = { count: 0, bytes: 0 };
  readonly #unfinished = { count: 0, bytes: 0 };
  readonly #inUse = { count: 0, bytes: 0 };
  readonly #recent = { count: 0, bytes: 0 };
  #links = 0;
  #keptManifests = 0;

  constructor(store: Store, collection: Collection, opts: CollectOptions) {
    const graceMs = opts.graceMs ?? (collection.isWithUnmarked ? unmarkedGraceMs : 0);
    const untagged = opts.untagged === true;
    const dryRun = opts.dryRun === true;
    this.#store = store;
    this.#collection = collection;
    this.#signal = opts.signal;
    this.#cutoff = graceMs > 0 ? collection.startedAt.getTime() - graceMs : Number.POSITIVE_INFINITY;
    this.#waits = { now: collection.startedAt, idleMs: opts.unfinishedMs ?? abandonedMs, dryRun };
    this.#onRemoved = opts.onRemoved ?? ((blob) => void this.#removed.push(blob));
    this.#opts = {
      dryRun,
      signal: opts.signal,
      policy: { untagged, orphans: opts.orphans ?? untagged },
      isYoung: graceMs > 0 ? (facts) => this.#isYoung(facts) : undefined,
      onUntagged: opts.onUntagged ?? ((repo, digest) => void this.#untagged.push({ repo, digest })),
    };
  }

  async run(): Promise<CollectResult> {
    const { driver } = this.#store;
    const { dryRun, idleMs } = this.#waits;
    // Everything is read before anything is removed: what cannot be read may need it.
    const found: Findings[] = [];
    const withUploads: RepositoryName[] = [];
    const onUnreadable = (_: string, error: OciError): never => {
      throw error;
    };
    for await (const repo of walkRepositories(driver, { withUploadsOnly: true, onUnreadable })) {
      this.#signal?.throwIfAborted();
      const findings = await surveyRepository(this.#store, repo, this.#kept, this.#opts);
      if (findings !== undefined) found.push(findings);
      if (await hasAbandonedUploads(driver, repo, this.#waits)) withUploads.push(repo);
    }
    await this.#readBlobs();
    for await (const _ of driver.uploads.list(partialsPath)) this.#signal?.throwIfAborted();
    for (const findings of found) await this.#sweepRepository(findings);
    await this.#sweepBlobs();
    for (const repo of withUploads) add(this.#unfinished, await removeAbandonedUploads(driver, repo, this.#waits));
    add(this.#unfinished, await removeLeft(driver, { ...this.#waits, signal: this.#signal }));
    const partials = await removePartials(this.#store, this.#collection, this.#waits);
    add(this.#unfinished, partials.removed);
    add(this.#inUse, partials.inUse);
    const drafts = await driver.tidy?.(repositoriesPath, { dryRun, idleMs });
    if (drafts !== undefined) add(this.#unfinished, drafts);
    return {
      removed: this.#removed,
      freed: this.#freed,
      untagged: this.#untagged,
      links: this.#links,
      unfinished: this.#unfinished,
      kept: { inUse: this.#inUse, recent: this.#recent, manifests: this.#keptManifests },
    };
  }

  async #sweepRepository(findings: Findings): Promise<void> {
    this.#signal?.throwIfAborted();
    const { repo, hasUntagged } = findings;
    const [store, collection] = [this.#store, this.#collection];
    let links: Iterable<Digest> = this.#kept.unneeded.each(findings.links);
    if (hasUntagged) {
      const swept = await sweepManifests(store, repo, collection, this.#kept, this.#opts);
      links = swept.links;
      this.#keptManifests += swept.manifests;
    } else {
      this.#keptManifests += findings.recent;
    }
    if (!this.#waits.dryRun) await sweepScraps(store, findings, collection);
    this.#links += await sweepLinks(store, repo, links, collection, this.#waits);
  }

  async #sweepBlobs(): Promise<void> {
    const { driver } = this.#store;
    await this.#collection.takeAway(
      this.#unneededBlobs(),
      async (some) => {
        this.#signal?.throwIfAborted();
        for (const group of driver.deleteMany === undefined ? some.map((blob) => [blob]) : [some]) {
          const paths = group.map(({ digest }) => blobPath(digest));
          if (!this.#waits.dryRun && (await deleteAll(driver, paths)) === 0) continue;
          for (const { digest, size } of group) {
            add(this.#freed, { count: 1, bytes: size });
            this.#onRemoved({ digest, size });
          }
        }
      },
      ({ size }) => add(this.#inUse, { count: 1, bytes: size }),
    );
  }

  async #readBlobs(): Promise<void> {
    const opts = { signal: this.#signal, except: this.#kept.needed, repair: !this.#waits.dryRun };
    for await (const blob of walkBlobs(this.#store, opts)) {
      if (this.#isYoung(blob)) add(this.#recent, { count: 1, bytes: blob.size });
      else this.#unneeded.set(blob.digest, blob.size);
    }
  }

  // What is needed by a manifest that was kept meanwhile stays.
  *#unneededBlobs() {
    const { needed, linked } = this.#kept;
    for (const { digest, size } of this.#unneeded.entries()) {
      if (linked.has(digest)) add(this.#recent, { count: 1, bytes: size });
      else if (!needed.has(digest)) yield { digest, size };
    }
  }

  #isYoung(facts: ObjectFacts | undefined): boolean {
    return facts !== undefined && facts.storedAt.getTime() >= this.#cutoff;
  }
}
