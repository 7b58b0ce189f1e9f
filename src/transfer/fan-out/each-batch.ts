/** Copies images to several destinations, and reads the source once. */
import type { TransferEvent } from '../../model/events.ts';
import { startBatch } from '../batch.ts';
import { EventQueue } from '../event-queue.ts';
import type { BatchOptions, TransferOptions, TransferResult, TransferRoot } from '../options.ts';
import { FanOut } from './fan-out.ts';
import { MergedEvents } from './merged-events.ts';

/** How long one destination may hold up the others, in all, and beyond that for a tenth of the time. */
const defaultHoldMs = 5000;

interface EachOptions extends Pick<BatchOptions, 'parallelBlobs' | 'transform' | 'limits' | 'signal'> {
  readonly from: Pick<TransferOptions['from'], 'registry' | 'repo' | 'sparse'>;
  /** Default 5000. */
  readonly holdMs?: number | undefined;
}

/** In the order of the destinations. What is copied to each, all from the same source. */
type Roots = readonly (() => Promise<TransferRoot>)[];
type Results = readonly PromiseSettledResult<TransferResult>[];

/** Transfers of images to several destinations, which run together. */
export class EachBatch {
  /** The events of all destinations as one transfer: a blob is done when it is at each of them. */
  readonly events: AsyncIterable<TransferEvent>;
  readonly #merged = new MergedEvents();
  readonly #fanOut: FanOut;
  readonly #destinations: readonly { readonly batch: ReturnType<typeof startBatch>; begun: Promise<unknown> }[];
  readonly #converts: boolean;
  readonly #images = { found: 0, finished: 0, complete: false };

  /** @param count The number of destinations. */
  constructor(count: number, { from, holdMs = defaultHoldMs, ...options }: EachOptions) {
    const { parallelBlobs, transform } = options;
    const fanOut = new FanOut({ from, parallelBlobs, holdMs, count });
    this.events = this.#merged.queue;
    this.#fanOut = fanOut;
    this.#converts = transform !== undefined;
    this.#destinations = fanOut.branches.map((_, i) => {
      const events = new EventQueue();
      const batch = startBatch(options, events, fanOut.sites);
      events.tap = (event) => this.#merged.take(i, event);
      return { batch, begun: Promise.resolve() };
    });
  }

  /**
   * Copies one image to each destination. A blob is read once for all that need it; one that is slow reads for itself after a
   * while, and one that fails does not concern the others.
   *
   * @param roots What one rejects with is its result.
   */
  async transfer(roots: Roots): Promise<Results> {
    const shares = this.#fanOut.image();
    this.#images.found += 1;
    this.#tell();
    const run = async (root: () => Promise<TransferRoot>, i: number): Promise<TransferResult> => {
      const [destination, share] = [this.#destinations[i], shares[i]];
      if (!destination) throw new RangeError('there are more roots than destinations');
      try {
        const known = root();
        const ignored = known.catch(() => {});
        const before = destination.begun;
        // All destinations begin images in the same order: none waits for an image that another one has not begun.
        destination.begun = before.then(() => ignored);
        await before;
        // What a conversion makes is not read from the source.
        return await destination.batch.transfer(await known, this.#converts ? undefined : share);
      } catch (error) {
        this.#merged.giveUp(i);
        throw error;
      } finally {
        share?.end();
      }
    };
    const settled = await Promise.allSettled(roots.map(run));
    this.#images.finished += 1;
    this.#endWhenDone();
    return settled;
  }

  /** Call it after the last `transfer` has begun. */
  end(): void {
    this.#images.complete = true;
    for (const { batch, begun } of this.#destinations) begun.then(() => batch.end());
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    const { found, finished, complete } = this.#images;
    if (complete && finished === found) {
      for (const [i, branch] of this.#fanOut.branches.entries()) {
        branch.end();
        this.#merged.leave(i);
      }
    }
    this.#tell();
    if (complete && finished === found) this.#merged.end();
  }

  #tell(): void {
    this.#merged.images(this.#images);
  }
}
