/** For commands that move all tags of a repository: they are one batch, so that what images share moves once. */
import type { Context } from '../../app/context.ts';
import type { OciError } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { reportOne } from '../../terminal/report.ts';
import type { TransferResult } from '../../transfer/transfer.ts';
import { forEveryTag, isOfOneTag, throwFailures } from './every-tag.ts';
import type { Planned } from './planned-batch.ts';
import { forSeveral, runBatch } from './run-batch.ts';

/** How many tags are in progress beyond the first unfinished one. The batch limits the memory for their manifests. */
const tagsAhead = 500;

interface TagMoves<P extends Planned, T> {
  readonly progress: Progress;
  /** For one image. */
  readonly parallelBlobs: number | undefined;
  readonly keeps?: 'parts';
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
  /** Whether the destination must know all images before the first byte, as an archive does. Asked once. */
  readonly mustKnowAll?: () => Promise<boolean>;
  /** Called at the end, unless nothing was moved. */
  readonly finish?: () => Promise<void>;
}

/**
 * Moves every tag. One that fails does not stop the others.
 *
 * @returns How many there were.
 * @throws OciError PARTLY_FAILED naming the tags that could not be moved; an error that each of them would meet.
 */
export async function moveTags<P extends Planned, T>(context: Context, moves: TagMoves<P, T>): Promise<number> {
  const { progress, what, others } = moves;
  const failures = new Map<string, OciError>();
  // Stops tags in progress after an error that each of them would meet.
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  let count = 0;
  // What waits for all must not wait for the first.
  const ahead = (await moves.mustKnowAll?.()) ? Number.POSITIVE_INFINITY : tagsAhead;
  const options = { progress, parallelBlobs: forSeveral(moves.parallelBlobs), keeps: moves.keeps, signal };
  await runBatch(context, options, async (batch) => {
    const endList = batch.expect();
    const tags = async function* (): AsyncGenerator<Tag> {
      yield* moves.tags(signal);
      endList();
    };
    const moveTag = async (tag: Tag): Promise<T> => {
      try {
        const { plan, result } = await batch.move(() => moves.plan(tag, signal));
        return await moves.conclude(plan, result);
      } catch (error) {
        if (!isOfOneTag(error)) stop.abort(error);
        throw error;
      }
    };
    for await (const outcome of forEveryTag(tags(), moveTag, ahead)) {
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
