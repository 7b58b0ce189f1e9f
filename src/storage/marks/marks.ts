import { newProcessId } from '../../files/process-id.ts';
import type { Digest } from '../../model/digest.ts';
import type { Driver } from '../driver.ts';
import { isAnyCollecting, waitForCollectors } from './collectors.ts';
import { type OpenLease, openLease } from './lease-file.ts';
import { beatMs, ownSilenceMs, SilenceMeter } from './silence.ts';

/**
 * What the writers of this registry count on, kept from every collector, in any process or host. A writer first marks a
 * digest, and then looks for collectors that take it away; a collector says first what it will take away, and then
 * looks at the marks: so one of them sees the other. A collector that has begun before a lease ends, which has perhaps
 * not seen the manifest that it was for, finds the marks of that lease until it is through.
 */
export class Marks {
  readonly #driver: Driver;
  readonly #keepMs: number;
  #users = 0;
  #leases = 0;
  #current: Term | undefined;
  readonly #expired = new Set<Term>();

  /** @param keepMs Marks stay for so long at least after what they were for is done; 0: as long as that. */
  constructor(driver: Driver, keepMs: number) {
    this.#driver = driver;
    this.#keepMs = keepMs;
  }

  /** Runs what holds digests: they are held until it is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await work();
    } finally {
      this.#users -= 1;
      await this.#settle();
    }
  }

  /** Has everything that is held stay so until it is disposed of. */
  lease(): AsyncDisposable {
    this.#users += 1;
    this.#leases += 1;
    let over = false;
    return {
      [Symbol.asyncDispose]: async () => {
        if (over) return;
        over = true;
        this.#users -= 1;
        this.#leases -= 1;
        await this.#settle();
      },
    };
  }

  /** Whether what was looked at is worth to be held, since somebody may come back for it. */
  get isLasting(): boolean {
    return !this.#driver.readOnly && (this.#keepMs > 0 || this.#leases > 0);
  }

  holds(digest: Digest): boolean {
    return this.#current?.marked.has(digest) === true && this.#current.silence.silentMs <= ownSilenceMs;
  }

  /** Keeps blobs, and links to them, from collectors. What is there after this stays; what is not was taken before. */
  async hold(digests: readonly Digest[]): Promise<void> {
    let wanted = digests;
    const before = this.#current;
    if (before !== undefined && before.silence.silentMs > ownSilenceMs) {
      wanted = [...before.marked.keys(), ...digests];
      this.#current = undefined;
      void this.#end(before);
    }
    this.#current ??= this.#begin();
    const { marked } = this.#current;
    const fresh = [...new Set(wanted)].filter((digest) => !marked.has(digest));
    if (fresh.length > 0) {
      const marking = this.#enqueue(this.#current, fresh).catch((error: unknown) => {
        for (const digest of fresh) marked.delete(digest);
        throw error;
      });
      for (const digest of fresh) marked.set(digest, marking);
    }
    await Promise.all(digests.map((digest) => marked.get(digest)));
  }

  #begin(): Term {
    return {
      marked: new Map(),
      silence: new SilenceMeter(),
      lease: undefined,
      beat: undefined,
      next: undefined,
      last: Promise.resolve(),
    };
  }

  // Those that come while others are marked go together: each has the store asked once more.
  #enqueue(term: Term, digests: readonly Digest[]): Promise<void> {
    if (term.next === undefined) {
      const batch: Digest[] = [];
      const done = term.last.then(() => {
        term.next = undefined;
        return this.#mark(term, batch);
      });
      term.next = { batch, done };
      term.last = done.catch(() => {});
    }
    term.next.batch.push(...digests);
    return term.next.done;
  }

  async #mark(term: Term, digests: readonly Digest[]): Promise<void> {
    term.lease ??= this.#open(term);
    let lease: OpenLease;
    try {
      lease = await term.lease;
    } catch (error) {
      term.lease = undefined;
      throw error;
    }
    const heard = term.silence.speak();
    await lease.mark(digests);
    heard();
    await waitForCollectors(this.#driver, digests, lease.clock);
  }

  async #open(term: Term): Promise<OpenLease> {
    const heard = term.silence.speak();
    const lease = await openLease(this.#driver, newProcessId());
    heard();
    const beat = (): void => void lease.beat().then(term.silence.speak(), () => {});
    term.beat = setInterval(beat, beatMs).unref();
    if (this.#keepMs > 0) setTimeout(() => this.#expire(term), this.#keepMs).unref();
    return lease;
  }

  // The next one to mark begins a new term; this one stays for as long again.
  #expire(term: Term): void {
    if (this.#current === term) this.#current = undefined;
    const expire = (): void => {
      this.#expired.add(term);
      void this.#settle();
    };
    setTimeout(expire, this.#keepMs).unref();
  }

  async #settle(): Promise<void> {
    if (this.#leases > 0) return;
    const over = [...this.#expired];
    this.#expired.clear();
    if (this.#keepMs === 0 && this.#users === 0 && this.#current !== undefined) {
      over.push(this.#current);
      this.#current = undefined;
    }
    for (const term of over) await this.#end(term);
  }

  // A lease that cannot be removed holds for longer; what was done under it is done.
  async #end(term: Term): Promise<void> {
    try {
      const lease = await term.lease;
      clearInterval(term.beat);
      if (lease !== undefined) await lease.end({ keep: await this.#isWatched(lease) });
    } catch {}
  }

  async #isWatched(lease: OpenLease): Promise<boolean> {
    return await isAnyCollecting(this.#driver, lease.clock).catch(() => true);
  }
}

interface Term {
  /** Settled when the digest is held. */
  readonly marked: Map<Digest, Promise<void>>;
  readonly silence: SilenceMeter;
  lease: Promise<OpenLease> | undefined;
  beat: NodeJS.Timeout | undefined;
  next: { readonly batch: Digest[]; readonly done: Promise<void> } | undefined;
  last: Promise<void>;
}
