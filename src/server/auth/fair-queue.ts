import { OciError } from '../../model/errors.ts';
import { holderOf } from '../http/addresses.ts';

interface Waiting {
  readonly start: () => void;
  readonly refuse: (error: unknown) => void;
}

interface Share {
  running: number;
  readonly waiting: Waiting[];
}

interface Limits {
  /** Jobs that run at the same time. */
  readonly running: number;
  /** Of those, jobs of one address. */
  readonly runningEach: number;
  readonly waiting: number;
}

/**
 * Runs jobs for clients, with the addresses taking turns: a client with many jobs only delays itself. If too many jobs
 * wait, the address with the most waiting jobs loses its last one.
 */
export class FairQueue {
  readonly #limits: Limits;
  /** In the order of turns: the first is next. */
  readonly #shares = new Map<string, Share>();
  #running = 0;
  #waiting = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * @param address Of the client; empty if unknown.
   * @param signal Ends the waiting, but not a running job.
   * @throws OciError TOOMANYREQUESTS if too many jobs wait; the signal's reason; errors of the job.
   */
  async run<T>(address: string, job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const holder = holderOf(address);
    const share = this.#shares.get(holder) ?? { running: 0, waiting: [] };
    this.#shares.set(holder, share);
    await this.#turn(share, signal).catch((error: unknown) => {
      this.#forget(holder, share);
      throw error;
    });
    try {
      return await job();
    } finally {
      share.running -= 1;
      this.#running -= 1;
      this.#forget(holder, share);
      this.#startNext();
    }
  }

  // Resolves when the job may run; it is counted as running then.
  #turn(share: Share, signal: AbortSignal | undefined): Promise<void> {
    if (this.#mayRun(share)) {
      this.#count(share);
      return Promise.resolve();
    }
    if (this.#waiting >= this.#limits.waiting) this.#makeRoomFor(share);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        share.waiting.splice(share.waiting.indexOf(waiting), 1);
        this.#waiting -= 1;
        signal?.removeEventListener('abort', abort);
      };
      const abort = (): void => waiting.refuse(signal?.reason);
      const waiting: Waiting = {
        start: () => {
          leave();
          this.#count(share);
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      share.waiting.push(waiting);
      this.#waiting += 1;
    });
  }

  #mayRun(share: Share): boolean {
    return this.#running < this.#limits.running && share.running < this.#limits.runningEach;
  }

  #count(share: Share): void {
    share.running += 1;
    this.#running += 1;
  }

  #makeRoomFor(share: Share): void {
    const most = [...this.#shares.values()].reduce((a, b) => (b.waiting.length > a.waiting.length ? b : a), share);
    const refusal = new OciError('TOOMANYREQUESTS', 'too many logins at once', { retryAfterMs: 5000 });
    if (most.waiting.length <= share.waiting.length + 1) throw refusal;
    most.waiting.at(-1)?.refuse(refusal);
  }

  #startNext(): void {
    for (const [holder, share] of [...this.#shares]) {
      const [first] = share.waiting;
      if (first === undefined || !this.#mayRun(share)) continue;
      first.start();
      // Back to the end of the line.
      this.#shares.delete(holder);
      this.#shares.set(holder, share);
    }
  }

  #forget(holder: string, share: Share): void {
    if (share.running === 0 && share.waiting.length === 0) this.#shares.delete(holder);
  }
}
