import { OciError } from '../../model/errors.ts';
import type { Exchange } from './exchange.ts';

interface SlowClientLimits {
  /** Minimum rate over a window at which a client must send or take a body while the server waits for it. 0: no minimum. */
  readonly minBytesPerSecond: number;
  readonly windowMs: number;
}

/** The part of an exchange that is watched. */
type Watched = Pick<Exchange, 'awaitsClient' | 'receivedBytes' | 'takenBytes' | 'sendingBytes' | 'cut'>;

/** Bytes of a body at one moment. */
interface Progress {
  readonly atMs: number;
  readonly bytes: number;
}

/**
 * Cuts slow clients: with one byte per second a connection is never idle, and would occupy itself, an upload session
 * and a place in the queue for ever. A timer compares byte counts, so that chunks cost nothing extra.
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

  /** Watches an exchange until `work` has finished. */
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
      // While the registry works, the client is not to blame for a slow connection.
      if (!exchange.awaitsClient) this.#watched.set(exchange, now);
      else if (elapsedMs < windowMs) continue;
      else if (now.bytes - before.bytes >= dueBytes) this.#watched.set(exchange, now);
      // A chunk counts only once all of it was sent, so a large chunk gets additional time.
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
