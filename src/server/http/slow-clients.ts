import { OciError } from '../../model/errors.ts';
import type { Exchange } from './exchange.ts';

export interface PaceLimits {
  /** The least rate, over a window, at which a client whose turn it is sends or takes a body. 0: any. */
  readonly minBytesPerSecond: number;
  readonly windowMs: number;
}

interface Mark {
  readonly atMs: number;
  readonly bytes: number;
}

/**
 * Cuts clients that drip: a byte a second keeps a connection from being idle, and would hold it, an upload session and a
 * place in line for ever. Looked at now and then, so that no chunk costs more for it.
 */
export class Pace {
  readonly #limits: PaceLimits;
  readonly #marks = new Map<Exchange, Mark>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: PaceLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#look(), Math.max(limits.windowMs / 4, 10));
    this.#timer.unref();
  }

  /** Watches an exchange until `work` is done. */
  async watch(exchange: Exchange, work: () => Promise<void>): Promise<void> {
    this.#marks.set(exchange, markOf(exchange));
    try {
      await work();
    } finally {
      this.#marks.delete(exchange);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { minBytesPerSecond, windowMs } = this.#limits;
    if (minBytesPerSecond === 0) return;
    for (const [exchange, mark] of this.#marks) {
      const now = markOf(exchange);
      const elapsedMs = now.atMs - mark.atMs;
      const dueBytes = (minBytesPerSecond * elapsedMs) / 1000;
      // While the registry works, a slow connection is no fault of the client's.
      if (!exchange.awaitsClient) this.#marks.set(exchange, now);
      else if (elapsedMs < windowMs) continue;
      else if (now.bytes - mark.bytes >= dueBytes) this.#marks.set(exchange, now);
      // What is on its way counts only when all of it has arrived: a large chunk has its own time on top.
      else if (dueBytes >= exchange.sendingBytes + (minBytesPerSecond * windowMs) / 1000) exchange.cut(tooSlow());
    }
  }
}

function markOf({ receivedBytes, takenBytes }: Exchange): Mark {
  return { atMs: performance.now(), bytes: receivedBytes + takenBytes };
}

function tooSlow(): OciError {
  return new OciError('CANCELLED', 'the client was too slow');
}
