import { newProcessId } from '../../files/process-id.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Driver } from '../driver.ts';
import { isAnyCollecting, waitForCollectors } from './collectors.ts';
import { type OpenLease, openLease } from './lease-file.ts';
import { beatMs, ownSilenceMs, SilenceMeter } from './silence.ts';

/** How long the marks of clients' requests are kept after their time, for collections with a long grace time. */
const endedForMs = 24 * 60 * 60 * 1_000;

/**
 * Protects the digests that this registry's writers rely on from collectors in any process or host. A writer marks a
 * digest first, and then checks whether a collector is removing it; a collector announces first what it will remove,
 * and then reads the marks: so at least one of them sees the other. A collector that began before a lease ends may not
 * have seen the manifest that the lease was for, so the marks stay until it has finished.
 */
export class Marks {
  readonly #driver: Driver;
  readonly #keepMs: number;
  #users = 0;
  #leases = 0;
  #current: Term | undefined;
  readonly #expired = new Set<Term>();

  /** @param keepMs Minimum time that marks are kept after their use, in milliseconds; 0: only during use. */
  constructor(driver: Driver, keepMs: number) {
    this.#driver = driver;
    this.#keepMs = keepMs;
  }

  /** Runs an operation that holds digests. They are held until it has finished. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await work();
    } finally {
      this.#users -= 1;
      await this.#settle();
    }
  }

  /** Keeps everything that is held until the lease is disposed. */
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

  /** Whether a digest that was only looked up should be held, because a later call may rely on it. */
  get isLasting(): boolean {
    return !this.#driver.readOnly && (this.#keepMs > 0 || this.#leases > 0);
  }

  holds(digest: Digest): boolean {
    return this.#current?.marked.has(digest) === true && this.#current.silence.silentMs <= ownSilenceMs;
  }

  /**
   * Protects blobs and links to them from collectors. What exists after this call is kept; what does not was removed before.
   */
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

  // Digests that arrive while others are being marked are marked together: each batch costs a look at the collectors.
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

  // The next mark begins a new term. This one is kept for the same time again.
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

  // If a lease cannot be removed, it only protects for longer. The operations under it have succeeded.
  async #end(term: Term): Promise<void> {
    try {
      const lease = await term.lease;
      clearInterval(term.beat);
      if (lease === undefined) return;
      // What clients were told counts for as long as a later collection has as its grace time.
      const stays = this.#keepMs > 0;
      await lease.end({ keep: stays || (await this.#isWatched(lease)) });
      if (stays) setTimeout(() => void lease.remove().catch(() => {}), endedForMs).unref();
    } catch {}
  }

  async #isWatched(lease: OpenLease): Promise<boolean> {
    return await isAnyCollecting(this.#driver, lease.clock).catch(() => true);
  }
}

/**
 * Keeps collectors from removing anything, in any process, for a writer that stores blobs long before their links.
 *
 * @returns `check` throws OciError STORAGE, retryable, if collectors may take this process for dead.
 */
export async function holdEverything(driver: Driver): Promise<AsyncDisposable & { check(): void }> {
  const silence = new SilenceMeter();
  const lease = await openLease(driver, newProcessId());
  const beat = setInterval(() => void lease.beat().then(silence.speak(), () => {}), beatMs).unref();
  const end = async (): Promise<void> => {
    clearInterval(beat);
    await lease.end({ keep: await isAnyCollecting(driver, lease.clock).catch(() => true) });
  };
  try {
    await lease.markAll();
    await waitForCollectors(driver, 'all', lease.clock);
  } catch (error) {
    await end().catch(() => {});
    throw error;
  }
  return {
    check() {
      if (silence.silentMs <= ownSilenceMs) return;
      const problem = `${driver.name} took no sign of life for ${Math.round(silence.silentMs / 1_000)} seconds`;
      throw new OciError('STORAGE', problem, { hint: 'run the command again: it goes on', retryable: true });
    },
    [Symbol.asyncDispose]: end,
  };
}

interface Term {
  /** Resolves once the digest is held. */
  readonly marked: Map<Digest, Promise<void>>;
  readonly silence: SilenceMeter;
  lease: Promise<OpenLease> | undefined;
  beat: NodeJS.Timeout | undefined;
  next: { readonly batch: Digest[]; readonly done: Promise<void> } | undefined;
  last: Promise<void>;
}
