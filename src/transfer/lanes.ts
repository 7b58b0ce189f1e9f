import { monotonicMs } from '../model/clock.ts';
import type { Content } from '../registry/content.ts';
import type { OnWait, SignalOption } from '../registry/registry.ts';
import { LanePolicy } from './lane-policy.ts';
import { Slots } from './slots.ts';

/** Blobs up to this size wait for answers rather than for bytes. */
const smallBytes = 1024 * 1024;
/** How many blobs are looked up at once. */
const looksAtOnce = 16;
/** How many small blobs move at once: each read costs a buffer of 64 KiB, which is freed late. */
const smallAtOnce = 12;
/** How many large blobs move at once: a connection less than the other clients have, and more where that is faster. */
const largeAtOnce = { first: 4, most: 8 };
const sampleMs = 500;

/** The bounds on what moves at once in a batch. */
export class Lanes {
  readonly #looks: Slots | undefined;
  readonly #small: MeasuredLanes;
  readonly #large: MeasuredLanes;

  /** @param fixed How many blobs may be looked up or move at once, whatever their size. Default: by what they cost. */
  constructor(fixed: number | undefined) {
    const lanes = (first: number, most: number): MeasuredLanes => new MeasuredLanes(new LanePolicy({ first, most }));
    this.#looks = fixed === undefined ? new Slots(looksAtOnce) : undefined;
    this.#large = fixed === undefined ? lanes(largeAtOnce.first, largeAtOnce.most) : lanes(fixed, fixed);
    this.#small = fixed === undefined ? lanes(smallAtOnce, smallAtOnce) : this.#large;
  }

  /** The way of one blob. */
  way(size: number): Way {
    return new Way(this.#looks, size > smallBytes ? this.#large : this.#small);
  }
}

/** What one blob waits for: first for its look at the destination, then for a lane for its bytes. */
export interface BlobWay {
  look(): Promise<void>;
  /** Waits for a lane. Nothing else is held meanwhile, so that other blobs are looked up. */
  ready(opts?: SignalOption): Promise<void>;
  /** Opens the blob, if several destinations read the source together. */
  read?(offset: number, options: SignalOption & { readonly onWait?: OnWait | undefined }): Promise<Content>;
  moved(bytes: number): void;
  /** The bytes have to wait: a registry asked for it, failed, or cut a connection. */
  trouble(): void;
  /** Gives back what it has. */
  end(): Promise<void>;
}

/** The way of a blob to the only destination. */
export class Way implements BlobWay {
  /** Undefined: a look takes the lane. */
  readonly #looks: Slots | undefined;
  readonly #lanes: MeasuredLanes;
  #endLook: (() => void) | undefined;
  #lane: Promise<() => void> | undefined;

  constructor(looks: Slots | undefined, lanes: MeasuredLanes) {
    this.#looks = looks;
    this.#lanes = lanes;
  }

  async look(): Promise<void> {
    if (this.#looks) this.#endLook = await this.#looks.take();
    else await this.ready();
  }

  async ready({ signal }: SignalOption = {}): Promise<void> {
    this.#endLook?.();
    this.#endLook = undefined;
    this.#lane ??= this.#lanes.take();
    await this.#lane;
    signal?.throwIfAborted();
  }

  moved(bytes: number): void {
    this.#lanes.moved(bytes);
  }

  trouble(): void {
    this.#lanes.trouble();
  }

  async end(): Promise<void> {
    this.#endLook?.();
    const lane = this.#lane;
    this.#lane = undefined;
    (await lane)?.();
  }
}

/** Lanes whose number follows what is measured. The blob that has waited longest is next. */
class MeasuredLanes {
  readonly #policy: LanePolicy;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #bytes = 0;
  #sinceMs = 0;

  constructor(policy: LanePolicy) {
    this.#policy = policy;
  }

  async take(): Promise<() => void> {
    if (this.#busy === 0) this.#restart();
    if (this.#busy < this.#policy.lanes) this.#busy += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      this.#busy -= 1;
      this.#wake();
    };
  }

  moved(bytes: number): void {
    this.#bytes += bytes;
    const elapsedMs = monotonicMs() - this.#sinceMs;
    if (elapsedMs < sampleMs) return;
    const wanted = this.#waiting.length > 0 && this.#busy >= this.#policy.lanes;
    this.#policy.sample(this.#bytes / elapsedMs, wanted);
    this.#restart();
    this.#wake();
  }

  trouble(): void {
    this.#policy.trouble();
  }

  #restart(): void {
    this.#bytes = 0;
    this.#sinceMs = monotonicMs();
  }

  #wake(): void {
    while (this.#busy < this.#policy.lanes) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#busy += 1;
      next();
    }
  }
}
