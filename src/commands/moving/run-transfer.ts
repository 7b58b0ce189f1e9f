/** Shared by pull, push and copy: runs transfers with a progress display, and passes their events on. */
import type { Context } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { TransferEvent } from '../../model/events.ts';
import { createProgress } from '../../terminal/progress/create.ts';
import type { Progress, ProgressOptions } from '../../terminal/progress/progress.ts';
import { createBatch, type TransferBatch } from '../../transfer/batch.ts';
import type { BatchOptions, TransferResult, TransferRoot } from '../../transfer/transfer.ts';

interface RunBatchOptions extends BatchOptions {
  readonly progress: Progress;
  /** The line for stdout about an event, if any. */
  readonly lineOf?: ((event: TransferEvent) => string | undefined) | undefined;
  /** What the destination keeps of an image that is stopped. Default `layers`. */
  readonly keeps?: 'parts' | 'layers' | 'nothing' | undefined;
}

type RunTransferOptions = TransferRoot & RunBatchOptions;

/** One layer or config in the result of `--json`. */
export interface BlobOutcome {
  readonly digest: string;
  readonly size: number;
  readonly outcome: string;
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

/** Runs a transfer to its end. @returns Its result, and the outcome of each layer. */
export async function runTransfer(
  context: Context,
  options: RunTransferOptions,
): Promise<TransferResult & { readonly layers: BlobOutcome[] }> {
  const layers: BlobOutcome[] = [];
  const lineOf = (event: TransferEvent): string | undefined => {
    if (event.type === 'done' && event.kind === 'layer') {
      layers.push({ digest: event.node.digest, size: event.node.size, outcome: event.outcome });
    }
    return options.lineOf?.(event);
  };
  const result = await runBatch(context, { ...options, lineOf }, (batch) => {
    const transferred = batch.transfer(options);
    batch.end();
    return transferred;
  });
  return { ...result, layers };
}

/** Runs several transfers together, and shows their progress. @param use Starts them. */
export async function runBatch<T>(
  { signal }: Context,
  { progress, lineOf, keeps = 'layers', ...options }: RunBatchOptions,
  use: (batch: TransferBatch) => Promise<T>,
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
  const running = use(batch).finally(() => batch.end());
  const [used, shown] = await Promise.allSettled([running, showing]);
  if (shown.status === 'rejected') throw shown.reason;
  if (used.status === 'fulfilled') return used.value;
  const error: unknown = used.reason;
  if (!isOciError(error, 'CANCELLED') || keeps === 'nothing') throw error;
  const hint = `${keeps === 'parts' ? 'what has arrived is' : 'whole layers that have arrived are'} kept: the same command continues from there`;
  throw new OciError('CANCELLED', error.message, { hint, cause: error });
}
