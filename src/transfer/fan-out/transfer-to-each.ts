/** Copies one image to several destinations, and reads the source once. */
import type { TransferEvent } from '../../model/events.ts';
import { startBatch } from '../batch.ts';
import { EventQueue } from '../event-queue.ts';
import type { BatchOptions, TransferOptions, TransferResult, TransferRoot } from '../options.ts';
import { FanOut } from './fan-out.ts';
import { MergedEvents } from './merged-events.ts';

/** How long one destination may hold up the others, in all, and beyond that for a tenth of the time. */
const defaultHoldMs = 5000;

interface EachOptions extends Pick<BatchOptions, 'parallelBlobs' | 'limits' | 'signal'> {
  readonly from: Pick<TransferOptions['from'], 'registry' | 'repo' | 'sparse'>;
  /** Default 5000. */
  readonly holdMs?: number | undefined;
}

interface EachTransfer {
  /** The events of all destinations as one transfer: a blob is done when it is at each of them. */
  readonly events: AsyncIterable<TransferEvent>;
  /** In the order of the destinations. */
  readonly results: Promise<readonly PromiseSettledResult<TransferResult>[]>;
}

/**
 * Starts a transfer to each of several destinations. A blob is read once for all that need it; one that is slow reads for
 * itself after a while, and one that fails does not concern the others.
 *
 * @param roots What is copied to each destination, all from the same source. What one rejects with is its result.
 */
export function transferToEach(roots: readonly (() => Promise<TransferRoot>)[], options: EachOptions): EachTransfer {
  const { from, parallelBlobs, holdMs = defaultHoldMs, ...rest } = options;
  const fanOut = new FanOut({ from, parallelBlobs, holdMs, count: roots.length });
  const merged = new MergedEvents(roots.length);
  const run = async (root: () => Promise<TransferRoot>, i: number): Promise<TransferResult> => {
    const branch = fanOut.branches[i];
    try {
      const events = new EventQueue();
      const batch = startBatch({ ...rest, parallelBlobs }, events, branch);
      events.tap = (event) => merged.take(i, event);
      const result = batch.transfer(await root());
      batch.end();
      return await result;
    } finally {
      branch?.end();
      merged.leave(i);
    }
  };
  const results = Promise.allSettled(roots.map(run)).finally(() => merged.end());
  return { events: merged.queue, results };
}
