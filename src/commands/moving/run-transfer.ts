/** What pull, push and copy do alike: run transfers under a progress display and hand their events on. */
import type { Context } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { TransferEvent } from '../../model/events.ts';
import { createProgress } from '../../terminal/create-progress.ts';
import { openBatch, type TransferBatch } from '../../transfer/batch.ts';
import type { BatchOptions, TransferResult, TransferRoot } from '../../transfer/transfer.ts';

interface RunBatchOptions extends BatchOptions {
  /** `pulling alpine:3`, for the progress display. */
  readonly title: string;
  readonly quiet: boolean;
  /** A line for stdout that an event is worth. */
  readonly lineOf?: (event: TransferEvent) => string | undefined;
  readonly say?: (line: string) => Promise<void>;
}

type RunTransferOptions = TransferRoot & RunBatchOptions;

/** One layer or config in the result of `--json`. */
export interface BlobOutcome {
  readonly digest: string;
  readonly size: number;
  readonly outcome: string;
}

/** Runs a transfer to its end. @returns Its result, and what became of each layer. */
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
  const result = await runBatch(context, { ...options, lineOf }, (batch) => batch.transfer(options));
  return { ...result, layers };
}

/** Runs transfers that go on together under one display. @param use Asks for them, and says lines for stdout. */
export async function runBatch<T>(
  { terminal, signal }: Context,
  { title, quiet, lineOf, say, ...options }: RunBatchOptions,
  use: (batch: TransferBatch, say: (line: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const batch = openBatch({ ...options, signal: AbortSignal.any([options.signal ?? signal, stop.signal]) });
  const progress = await createProgress(terminal, { title, quiet });
  const held: string[] = [];
  // Bars own the screen: what belongs on stdout waits until they are gone.
  const sayNow = async (line: string): Promise<void> => {
    if (!quiet && terminal.err$.isTTY && terminal.out$.isTTY) held.push(line);
    else await say?.(line);
  };
  const show = async (): Promise<void> => {
    for await (const event of batch.events) {
      progress.event(event);
      const line = lineOf?.(event);
      if (line !== undefined) await sayNow(line);
    }
  };
  const showing = show()
    .finally(() => progress.stop())
    .catch((error: unknown) => {
      stop.abort(error);
      throw error;
    });
  const running = use(batch, sayNow).finally(() => batch.end());
  const [used, shown] = await Promise.allSettled([running, showing]);
  for (const line of held) await say?.(line);
  if (shown.status === 'rejected') throw shown.reason;
  if (used.status === 'fulfilled') return used.value;
  const error: unknown = used.reason;
  if (!isOciError(error, 'CANCELLED')) throw error;
  const hint = 'layers that have arrived are kept: the same command goes on from there';
  throw new OciError('CANCELLED', error.message, { hint, cause: error });
}
