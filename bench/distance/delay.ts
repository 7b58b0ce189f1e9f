/** Links that take time: a round trip for the set-up of a connection, half of one for each direction, and what a rate lets pass. */
import type { Socket } from 'node:net';
import { deliver, type Lane, type Link, type Way } from './relay.ts';

export interface DelayOptions {
  readonly rttMs: number;
  /** Of relays by name, where they are not all equally far. */
  readonly rttMsOf?: Readonly<Record<string, number>>;
  /** Of each direction of each connection, in bytes per second. */
  readonly rate?: number | undefined;
  /** Of each direction of all connections together. */
  readonly sharedRate?: number | undefined;
  /** Added to the way of each chunk: from 0 to this, evenly. */
  readonly jitterMs?: number | undefined;
  /** A chunk in so many waits, and everything behind it. */
  readonly stalls?: { readonly oneIn: number; readonly ms: number } | undefined;
  /** The same seed, the same jitter and stalls for the nth chunk of the nth connection. Default 1. */
  readonly seed?: number;
}

/** What waits for its turn at a rate is left with its sender beyond this time. */
const mostQueuedMs = 20;

export class Delay implements Link {
  readonly #options: DelayOptions;
  readonly #shared: { readonly up: Rate; readonly down: Rate };
  #connections = 0;

  constructor(options: DelayOptions) {
    this.#options = options;
    this.#shared = { up: new Rate(options.sharedRate), down: new Rate(options.sharedRate) };
  }

  connect(name: string): Lane {
    const { rttMs, rttMsOf = {}, rate, seed = 1 } = this.#options;
    const rtt = rttMsOf[name] ?? rttMs;
    this.#connections += 1;
    const direction = (side: 'up' | 'down'): DelayedWay => {
      const random = randomOf(seed * 1_000_003 + this.#connections * 2 + (side === 'up' ? 0 : 1));
      return new DelayedWay(rtt / 2, [new Rate(rate), this.#shared[side]], () => this.#extra(random));
    };
    const [up, down] = [direction('up'), direction('down')];
    let opening: NodeJS.Timeout | undefined;
    return {
      open: (done) => {
        if (rtt === 0) return done();
        opening = setTimeout(done, rtt);
      },
      up,
      down,
      close: () => {
        clearTimeout(opening);
        // What was sent before the end still arrives at the server; nothing arrives at a client that is gone.
        down.stop();
      },
    };
  }

  #extra(random: () => number): number {
    const { jitterMs = 0, stalls } = this.#options;
    return jitterMs * random() + (stalls && random() * stalls.oneIn < 1 ? stalls.ms : 0);
  }
}

/** How long bytes take at a rate, one behind the other. */
class Rate {
  readonly #bytesPerMs: number;
  #freeAt = 0;

  constructor(bytesPerSecond = Number.POSITIVE_INFINITY) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** @returns When the last of them has left. */
  take(bytes: number, now: number): number {
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / this.#bytesPerMs;
    return this.#freeAt;
  }
}

class DelayedWay implements Way {
  readonly #delayMs: number;
  readonly #rates: readonly Rate[];
  readonly #extra: () => number;
  readonly #queue: { readonly at: number; readonly chunk: Buffer | undefined; readonly to: Socket }[] = [];
  #lastAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #full = false;

  constructor(delayMs: number, rates: readonly Rate[], extra: () => number) {
    this.#delayMs = delayMs;
    this.#rates = rates;
    this.#extra = extra;
  }

  carry(chunk: Buffer | undefined, from: Socket, to: Socket): void {
    const now = performance.now();
    const leftAt = Math.max(...this.#rates.map((rate) => rate.take(chunk?.length ?? 0, now)));
    this.#lastAt = Math.max(this.#lastAt, leftAt + this.#delayMs + this.#extra());
    this.#queue.push({ at: this.#lastAt, chunk, to });
    const waitMs = leftAt - now - mostQueuedMs;
    if (waitMs > 0) {
      from.pause();
      setTimeout(() => from.resume(), waitMs);
    }
    if (!this.#timer && !this.#full) this.#next();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #next(): void {
    this.#timer = undefined;
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      const waitMs = head.at - performance.now();
      // Timers count whole milliseconds and are late rather than early.
      if (waitMs > 0.5) {
        this.#timer = setTimeout(() => this.#next(), Math.floor(waitMs));
        return;
      }
      this.#queue.shift();
      if (!deliver(head.chunk, head.to)) {
        this.#full = true;
        head.to.once('drain', () => {
          this.#full = false;
          if (!this.#timer) this.#next();
        });
        return;
      }
    }
  }
}

/** @see https://en.wikipedia.org/wiki/Xorshift A small generator, as chance has to repeat itself here. */
function randomOf(seed: number): () => number {
  let state = seed | 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  // Seeds that are close to each other begin alike.
  for (let i = 0; i < 8; i += 1) next();
  return next;
}
