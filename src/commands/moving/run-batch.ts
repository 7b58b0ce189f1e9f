/** Shared by pull, push and copy: runs transfers with a progress display, and passes their events on. */
import type { Context } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { TransferEvent } from '../../model/events.ts';
import { createProgress } from '../../terminal/progress/create.ts';
import type { Progress, ProgressOptions } from '../../terminal/progress/progress.ts';
import { createBatch } from '../../transfer/batch.ts';
import type { BatchOptions } from '../../transfer/transfer.ts';
import { PlannedBatch } from './planned-batch.ts';

interface RunBatchOptions extends BatchOptions {
  readonly progress: Progress;
  /** The line for stdout about an event, if any: for one image, whose layers are told as they arrive. */
  readonly lineOf?: ((event: TransferEvent) => string | undefined) | undefined;
  /** What the destination keeps of an image that is stopped. Default `layers`. */
  readonly keeps?: 'parts' | 'layers' | 'nothing' | undefined;
}

/** Allow as many parallel blobs as three single images, if a number is set. */
const imagesCounted = 3;

/** The setting for one image, as it holds for several. */
export function forSeveral(parallelBlobs: number | undefined): number | undefined {
  return parallelBlobs && imagesCounted * parallelBlobs;
}

/** Shows progress while one or several transfers of a command run. */
export async function withProgress<T>(
  { terminal }: Context,
  options: ProgressOptions,
  run: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = await createProgress(terminal, options);
  terminal.onWaiting(progress.waiting?.bind(progress));
  let completed = false;
  try {
    const result = await run(progress);
    completed = true;
    return result;
  } finally {
    terminal.onWaiting(undefined);
    await progress.end(completed);
  }
}

/**
 * Runs transfers together, and shows their progress.
 *
 * @param use Starts them. Those that it has announced by then count to the total.
 * @returns What `use` returns, after all events have been shown.
 */
export async function runBatch<T>(
  { signal }: Context,
  { progress, lineOf, keeps = 'layers', ...options }: RunBatchOptions,
  use: (batch: PlannedBatch) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const { parallelBlobs, transform, limits, onProgress } = options;
  const stopping = AbortSignal.any([options.signal ?? signal, stop.signal]);
  const batch = createBatch({ parallelBlobs, transform, limits, onProgress, signal: stopping });
  const show = async (): Promise<void> => {
    for await (const event of batch.events) {
      progress.event(event);
      const line = lineOf?.(event);
      const about = event.type === 'done' && event.kind === 'layer' ? event.node.digest : undefined;
      if (line !== undefined) await progress.say(line, about);
    }
  };
  const showing = show().catch((error: unknown) => {
    stop.abort(error);
    throw error;
  });
  const running = use(new PlannedBatch(batch)).finally(() => batch.end());
  const [used, shown] = await Promise.allSettled([running, showing]);
  if (shown.status === 'rejected') throw shown.reason;
  if (used.status === 'fulfilled') return used.value;
  const error: unknown = used.reason;
  if (!isOciError(error, 'CANCELLED') || keeps === 'nothing') throw error;
  const hint = `${keeps === 'parts' ? 'what has arrived is' : 'whole layers that have arrived are'} kept: the same command continues from there`;
  throw new OciError('CANCELLED', error.message, { hint, cause: error });
}
