import { OciError } from '../../model/errors.ts';
import type { Exchange } from './exchange.ts';

interface SlowClientLimits {
  /** The least rate, over a window, at which a client sends or takes a body while the server waits for it. 0: any. */
  readonly minBytesPerSecond: number;
  readonly windowMs: number;
}

/** An exchange, as far as it is looked at. */
type Watched = Pick<Exchange, 'awaitsClient' | 'receivedBytes' | 'takenBytes' | 'sendingBytes' | 'cut'>;

/** How far a body was at a moment. */
interface Progress {
  readonly atMs: number;
  readonly bytes: number;
}

/**
 * Cuts clients that drip: a byte a second keeps a connection from being idle, and would hold it, an upload session and a
 * place in the queue for ever. A timer compares byte counts, so that no chunk costs more for it.
 */
export class SlowClientGuard {
  readonly #limits: SlowClientLimits;
  readonly #watched = new Map<Watched, Progress>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: SlowClientLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#check(), Math.max(limits.windowMs / 4, 10));
    this.#timer.unref();
  }

  /** Watches an exchange until `work` is done. */
  async watch(exchange: Watched, work: () => Promise<void>): Promise<void> {
    this.#watched.set(exchange, progressOf(exchange));
    try {
      await work();
    } finally {
      this.#watched.delete(exchange);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const { minBytesPerSecond, windowMs } = this.#limits;
    if (minBytesPerSecond === 0) return;
    for (const [exchange, before] of this.#watched) {
      const now = progressOf(exchange);
      const elapsedMs = now.atMs - before.atMs;
      const dueBytes = (minBytesPerSecond * elapsedMs) / 1000;
      // While the registry works, a slow connection is no fault of the client's.
      if (!exchange.awaitsClient) this.#watched.set(exchange, now);
      else if (elapsedMs < windowMs) continue;
      else if (now.bytes - before.bytes >= dueBytes) this.#watched.set(exchange, now);
      // A chunk on its way counts only when all of it has arrived: a large one gets its own time on top.
      else if (dueBytes >= exchange.sendingBytes + (minBytesPerSecond * windowMs) / 1000) exchange.cut(tooSlow());
    }
  }
}

function progressOf({ receivedBytes, takenBytes }: Watched): Progress {
  return { atMs: performance.now(), bytes: receivedBytes + takenBytes };
}

function tooSlow(): OciError {
  return new OciError('CANCELLED', 'the client was too slow');
}
