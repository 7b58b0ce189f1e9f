import { newProcessId, tryParseProcessId } from '../../files/process-id.ts';
import type { Digest } from '../../model/digest.ts';
import type { Driver, Entry, StorePath } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { collectorPath, leasesPath } from '../paths.ts';
import { isAnyCollecting } from './collectors.ts';
import { readLease, removeLease } from './lease-file.ts';
import { beatMs, isGone, ownSilenceMs, SilenceMeter } from './silence.ts';

/** Digests that are removed between two reads of the marks. */
const batchSize = 500;

/** A running collection. It must begin before anything is read that tells which blobs are needed; see {@link Marks}. */
export class Collection {
  readonly #driver: Driver;
  readonly #graceMs: number;
  readonly #path: StorePath = collectorPath(newProcessId());
  readonly #silence = new SilenceMeter();
  readonly #over = new Set<string>();
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

  /** @param opts.graceMs Marks of a dead process still count if it was alive within this time. */
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

  /** Removes the digests that are not marked: `remove` is called for each, one after the other. */
  async takeAway(digests: readonly Digest[], remove: (digest: Digest) => Promise<void>): Promise<void> {
    for (let at = 0; at < digests.length; at += batchSize) {
      const batch = digests.slice(at, at + batchSize);
      try {
        await this.#tell(batch);
        let marks = await this.#marks();
        for (const digest of batch) {
          if (this.#silence.silentMs > ownSilenceMs) {
            await this.#tell(batch);
            marks = await this.#marks();
          }
          if (!marks.has(digest)) await remove(digest);
        }
      } finally {
        await this.#tell([]);
      }
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

  async #marks(): Promise<Set<Digest>> {
    const marks = new Set<Digest>();
    for await (const entry of entriesIn(this.#driver, leasesPath)) {
      if (this.#over.has(entry.name)) continue;
      for (const digest of (await readLease(this.#driver, entry))?.marks ?? []) marks.add(digest);
    }
    return marks;
  }

  async #leasesOver(now: Date): Promise<Entry[]> {
    const over: Entry[] = [];
    for await (const entry of entriesIn(this.#driver, leasesPath)) {
      const holder = tryParseProcessId(entry.name);
      const lease = holder && (await readLease(this.#driver, entry));
      if (holder === undefined || lease === undefined) continue;
      const recent = now.getTime() - lease.storedAt.getTime() < this.#graceMs;
      if (lease.ended || (isGone(holder, lease.storedAt, now) && !recent)) over.push(entry);
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
