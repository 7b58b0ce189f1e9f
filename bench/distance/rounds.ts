/**
 * Counts the longest chain of waits, in round trips, by lockstep. What servers send, and that a connection is open, is held until
 * everybody is asleep: the clients have sent all that they can without it. Then all of it is released at once, as one round.
 * Whatever a client does in parallel falls into the same round, however slow it or the machine is, so the count is of what
 * depends on what, not of time; it is what wall time divided by the round trip tends to at a long distance. (Depths that chunks inherit
 * from what arrived before them would count a slow client's independent requests as dependent.)
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sleepers } from './asleep.ts';
import { deliver, type Lane, type Link } from './relay.ts';

const tickMs = 4;
/** Ticks without any sign of life after which a round ends. */
const quiet = 4;
/** The same where a process cannot be watched, or a server has been asked and says nothing. */
const unsure = 75;
/** Nobody is waited for longer than this, also if it is busy: it may be with what does not depend on the network. */
const atMost = 5000;

/** One wait: what was released at its end, as `registry#1: open`, `registry#1: 1408 bytes`. */
export type Round = readonly string[];

export class Rounds implements Link {
  readonly #rounds: Round[] = [];
  readonly #sleepers = new Sleepers();
  readonly #names = new Map<string, number>();
  #held: { readonly what: string; readonly lane: object; readonly release: () => void }[] = [];
  /** Lanes whose server has been asked and has not answered. */
  #asked = new Set<object>();
  #ticks = 0;
  #running = false;

  /** What was waited for since the beginning, in order. */
  get rounds(): readonly Round[] {
    return this.#rounds;
  }

  /** A round does not end while this process or one that it started works. */
  watch(pid: number | undefined): void {
    if (pid !== undefined) this.#sleepers.add(pid);
  }

  /** Begins anew, for another client, when nothing of the last one is under way. */
  async reset(): Promise<void> {
    while (this.#running) await sleep(tickMs);
    this.#rounds.length = 0;
    this.#names.clear();
  }

  connect(name: string): Lane {
    const nth = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, nth);
    const title = `${name}#${nth}`;
    const lane = {};
    return {
      open: (done) => this.#hold(lane, `${title}: open`, done),
      up: {
        carry: (chunk, _: Socket, to) => {
          this.#ticks = 0;
          if (chunk !== undefined) this.#asked.add(lane);
          deliver(chunk, to);
        },
      },
      down: {
        carry: (chunk, _: Socket, to) => {
          this.#asked.delete(lane);
          this.#hold(lane, `${title}: ${chunk === undefined ? 'end' : kindOf(chunk)}`, () => deliver(chunk, to));
        },
      },
      close: () => {
        this.#ticks = 0;
        this.#asked.delete(lane);
        this.#held = this.#held.filter((each) => each.lane !== lane);
      },
    };
  }

  #hold(lane: object, what: string, release: () => void): void {
    this.#ticks = 0;
    this.#held.push({ lane, what, release });
    if (!this.#running) this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#held.length > 0) {
      await this.#settled();
      const held = this.#held;
      this.#held = [];
      // An end that nobody waits for is no wait: servers close what the client has closed, or no longer uses.
      if (held.some(({ what }) => !what.endsWith(': end'))) this.#rounds.push(summary(held.map(({ what }) => what)));
      for (const { release } of held) release();
    }
    this.#running = false;
  }

  async #settled(): Promise<void> {
    const startedAt = performance.now();
    this.#ticks = 0;
    while (performance.now() - startedAt < atMost) {
      await sleep(tickMs);
      this.#ticks += 1;
      const asleep = this.#sleepers.look();
      if (asleep === false) this.#ticks = 0;
      const sure = asleep === true && this.#asked.size === 0;
      if (this.#ticks >= (sure ? quiet : unsure)) return;
    }
  }
}

/** Consecutive chunks of one connection as one. */
function summary(events: readonly string[]): Round {
  const sums = new Map<string, number>();
  for (const event of events) {
    const [, head = event, bytes = '0'] = /^(.*): (\d+) bytes/.exec(event) ?? [];
    sums.set(head, (sums.get(head) ?? 0) + Number(bytes));
  }
  return [...sums].map(([head, bytes]) => (bytes > 0 ? `${head}: ${bytes} bytes` : head));
}

/** @see https://www.rfc-editor.org/rfc/rfc8446#section-5.1 A handshake's record begins with 22, and the version is 3.x. */
function kindOf(chunk: Buffer): string {
  return chunk[0] === 22 && chunk[1] === 3 ? `handshake: ${chunk.length} bytes` : `${chunk.length} bytes`;
}
