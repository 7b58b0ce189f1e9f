/** For commands that move all tags of a repository: they are one batch, so that what images share moves once. */
import type { Context } from '../../app/context.ts';
import type { OciError } from '../../model/errors.ts';
import type { TransferEvent } from '../../model/events.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { reportOne } from '../../terminal/report.ts';
import { Slots } from '../../transfer/slots.ts';
import type { TransferResult, TransferRoot } from '../../transfer/transfer.ts';
import { forEveryTag, isOfOneTag, throwFailures } from './every-tag.ts';
import { runBatch } from './run-transfer.ts';

/** How many tags are in progress beyond the first unfinished one. The batch limits the memory for their manifests. */
const tagsAhead = 500;
/** How many tags are looked up at once, in the source and the destination. */
const parallelLooks = 9;
/** Allow as many parallel blobs as three single images, if a number is set. */
const largeImages = 3;

const listing = Symbol('the list of tags');

interface TagMoves<P extends { readonly root: TransferRoot }, T> {
  readonly progress: Progress;
  readonly parallelBlobs: number | undefined;
  /** The line for stdout about an event, if any. */
  readonly lineOf?: ((event: TransferEvent) => string | undefined) | undefined;
  readonly tags: (signal: AbortSignal) => AsyncIterable<Tag> | Iterable<Tag>;
  readonly plan: (tag: Tag, signal: AbortSignal) => Promise<P>;
  readonly conclude: (plan: P, result: TransferResult) => T | Promise<T>;
  /** Called for each tag that was moved, in the order of the tags. */
  readonly tell: (result: T) => Promise<void>;
  /** The full name of a tag, for an error. */
  readonly nameOf: (tag: Tag) => string;
  /** `copied`, and where the others are if some failed. */
  readonly what: string;
  readonly others: string;
  /** Called at the end, unless nothing was moved. */
  readonly finish?: () => Promise<void>;
}

/**
 * Moves every tag. One that fails does not stop the others.
 *
 * @returns How many there were.
 * @throws OciError PARTLY_FAILED naming the tags that could not be moved; an error that each of them would meet.
 */
export async function moveTags<P extends { readonly root: TransferRoot }, T>(
  context: Context,
  moves: TagMoves<P, T>,
): Promise<number> {
  const { progress, parallelBlobs, lineOf, what, others } = moves;
  const failures = new Map<string, OciError>();
  const looks = new Slots(parallelLooks);
  // Stops tags in progress after an error that each of them would meet.
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  let count = 0;
  const options = { progress, lineOf, parallelBlobs: parallelBlobs && largeImages * parallelBlobs, signal };
  await runBatch(context, options, async (batch) => {
    // The total is known when every tag has been listed and planned.
    const unplanned = new Set<Tag | typeof listing>([listing]);
    const planEnded = (of: Tag | typeof listing): void => {
      if (unplanned.delete(of) && unplanned.size === 0) batch.end();
    };
    const tags = async function* (): AsyncGenerator<Tag> {
      for await (const tag of moves.tags(signal)) {
        unplanned.add(tag);
        yield tag;
      }
      planEnded(listing);
    };
    const moveTag = async (tag: Tag): Promise<T> => {
      try {
        const plan = await looks.run(() => moves.plan(tag, signal));
        const transferred = batch.transfer(plan.root);
        planEnded(tag);
        return await moves.conclude(plan, await transferred);
      } catch (error) {
        planEnded(tag);
        if (!isOfOneTag(error)) stop.abort(error);
        throw error;
      }
    };
    for await (const outcome of forEveryTag(tags(), moveTag, tagsAhead)) {
      count += 1;
      if (outcome.error === undefined) await moves.tell(outcome.result);
      else {
        failures.set(outcome.tag, outcome.error);
        reportOne(moves.nameOf(outcome.tag), outcome.error, context.terminal);
      }
    }
  });
  if (failures.size < count) await moves.finish?.();
  throwFailures(failures, { count, what, hint: others });
  return count;
}
