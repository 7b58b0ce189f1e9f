import { newProcessId, tryParseProcessId } from '../../files/process-id.ts';
import type { Digest } from '../../model/digest.ts';
import type { Driver, Entry, StorePath } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { collectorPath, leasesPath } from '../paths.ts';
import { isAnyCollecting } from './collectors.ts';
import { readLease, removeLease, type SeenLease } from './lease-file.ts';
import { beatMs, isGone, ownSilenceMs, SilenceMeter } from './silence.ts';

/** Digests that are removed between two reads of the marks. */
const batchSize = 1_000;
/** How many are removed before the silence is measured again, where each is a call of its own. */
const fewTogether = 20;

/** A running collection. It must begin before anything is read that tells which blobs are needed; see {@link Marks}. */
export class Collection {
  readonly #driver: Driver;
  readonly #graceMs: number;
  readonly #path: StorePath = collectorPath(newProcessId());
  readonly #silence = new SilenceMeter();
  readonly #over = new Set<string>();
  #leases = new Map<string, SeenLease>();
  #words = '';
  #told: Promise<void> = Promise.resolve();
  #beat: NodeJS.Timeout | undefined;
  /** When it began, by the store's clock. */
  startedAt = new Date(0);
  /** Whether a transfer of an earlier version is running, which protects blobs by file times instead of marks. */
  isWithUnmarked = false;

  private constructor(driver: Driver, graceMs: number) {
    this.#driver = driver;
    this.#graceMs = graceMs;
  }

  /** @param opts.graceMs Marks of a lease that ended, or of a dead process, still count for this time. */
  static async begin(driver: Driver, { graceMs = 0 } = {}): Promise<Collection> {
    const collection = new Collection(driver, graceMs);
    try {
      await collection.#begin();
      return collection;
    } catch (error) {
      await collection.end();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    await this.#tell([]);
    this.#beat = setInterval(() => void this.#put().catch(() => {}), beatMs).unref();
    this.startedAt = (await this.#driver.stat(this.#path))?.storedAt ?? new Date(0);
    // Everything from leases that ended before this moment is visible to this collection.
    const over = await this.#leasesOver(this.startedAt);
    for (const { name } of over) this.#over.add(name);
    if (!(await this.#hasCompany())) await this.#removeLeases(over);
  }

  /**
   * Removes the items whose digests are not marked. They are announced in batches, and removed several at once.
   *
   * @param kept Called for each item that is marked.
   */
  async takeAway<T extends { readonly digest: Digest }>(
    items: Iterable<T> | AsyncIterable<T>,
    remove: (some: readonly T[]) => Promise<void>,
    kept: (item: T) => void = () => {},
  ): Promise<void> {
    let batch: T[] = [];
    for await (const item of items) {
      batch.push(item);
      if (batch.length < batchSize) continue;
      await this.#takeBatch(batch, remove, kept);
      batch = [];
    }
    if (batch.length > 0) await this.#takeBatch(batch, remove, kept);
  }

  async #takeBatch<T extends { readonly digest: Digest }>(
    batch: readonly T[],
    remove: (some: readonly T[]) => Promise<void>,
    kept: (item: T) => void,
  ): Promise<void> {
    const digests = batch.map(({ digest }) => digest);
    const together = this.#driver.deleteMany === undefined ? fewTogether : batchSize;
    try {
      await this.#tell(digests);
      await this.#readMarks();
      for (let at = 0; at < batch.length; at += together) {
        if (this.#silence.silentMs > ownSilenceMs) {
          await this.#tell(digests);
          await this.#readMarks();
        }
        const free: T[] = [];
        for (const item of batch.slice(at, at + together)) {
          if (this.#isMarked(item.digest)) kept(item);
          else free.push(item);
        }
        if (free.length > 0) await remove(free);
      }
    } finally {
      await this.#tell([]);
    }
  }

  /** Idempotent. */
  async end(): Promise<void> {
    clearInterval(this.#beat);
    await this.#told;
    const now = (await this.#driver.stat(this.#path))?.storedAt;
    const over = now === undefined ? [] : await this.#leasesOver(now);
    if (over.length > 0 && !(await this.#hasCompany())) await this.#removeLeases(over);
    await this.#driver.delete(this.#path);
  }

  async #readMarks(): Promise<void> {
    const before = this.#leases;
    this.#leases = new Map();
    for await (const entry of entriesIn(this.#driver, leasesPath)) {
      if (this.#over.has(entry.name)) continue;
      const lease = await readLease(this.#driver, entry, before.get(entry.name));
      if (lease !== undefined) this.#leases.set(entry.name, lease);
    }
  }

  #isMarked(digest: Digest): boolean {
    for (const { marks, all } of this.#leases.values()) if (all || marks.has(digest)) return true;
    return false;
  }

  async #leasesOver(now: Date): Promise<Entry[]> {
    const over: Entry[] = [];
    for await (const entry of entriesIn(this.#driver, leasesPath)) {
      const holder = tryParseProcessId(entry.name);
      const lease = holder && (await readLease(this.#driver, entry));
      if (holder === undefined || lease === undefined) continue;
      const recent = this.#graceMs > 0 && now.getTime() - lease.storedAt.getTime() < this.#graceMs;
      if ((lease.ended || isGone(holder, lease.storedAt, now)) && !recent) over.push(entry);
      else if (lease.unmarked) this.isWithUnmarked = true;
    }
    return over;
  }

  // Another collector that began before these leases ended still relies on them.
  async #hasCompany(): Promise<boolean> {
    return await isAnyCollecting(this.#driver, this.#path, this.#path);
  }

  async #removeLeases(over: readonly Entry[]): Promise<void> {
    for (const entry of over) await removeLease(this.#driver, entry);
  }

  async #tell(digests: readonly Digest[]): Promise<void> {
    this.#words = digests.join('\n');
    await this.#put();
  }

  #put(): Promise<void> {
    const told = this.#told.then(async () => {
      const heard = this.#silence.speak();
      await this.#driver.put(this.#path, Buffer.from(this.#words), { durable: false });
      heard();
    });
    this.#told = told.catch(() => {});
    return told;
  }
}
