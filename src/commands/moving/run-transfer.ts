/** What pull, push and copy do alike: run a transfer under a progress display and hand its events on. */
import type { Context } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { TransferEvent } from '../../model/events.ts';
import { createProgress } from '../../terminal/create-progress.ts';
import { type TransferOptions, type TransferResult, transfer } from '../../transfer/transfer.ts';

interface RunTransferOptions extends TransferOptions {
  /** `pulling alpine:3`, for the progress display. */
  readonly title: string;
  readonly quiet: boolean;
  /** A line for stdout that an event is worth. */
  readonly lineOf?: (event: TransferEvent) => string | undefined;
  readonly say?: (line: string) => Promise<void>;
}

/** One layer or config in the result of `--json`. */
export interface BlobOutcome {
  readonly digest: string;
  readonly size: number;
  readonly outcome: string;
}

/** Runs a transfer to its end. @returns Its result, and what became of each layer. */
export async function runTransfer(
  { terminal, signal }: Context,
  { title, quiet, lineOf, say, ...options }: RunTransferOptions,
): Promise<TransferResult & { readonly layers: BlobOutcome[] }> {
  const running = transfer({ ...options, signal });
  const progress = await createProgress(terminal, { title, quiet });
  const layers: BlobOutcome[] = [];
  const held: string[] = [];
  try {
    for await (const event of running.events) {
      progress.event(event);
      if (event.type === 'done' && event.kind === 'layer') {
        layers.push({ digest: event.node.digest, size: event.node.size, outcome: event.outcome });
      }
      const line = lineOf?.(event);
      if (line === undefined) continue;
      // Bars own the screen: what belongs on stdout waits until they are gone.
      if (terminal.err$.isTTY && terminal.out$.isTTY) held.push(line);
      else await say?.(line);
    }
  } finally {
    progress.stop();
  }
  for (const line of held) await say?.(line);
  try {
    return { ...(await running.result), layers };
  } catch (error) {
    if (!isOciError(error, 'CANCELLED')) throw error;
    const hint = 'layers that have arrived are kept: the same command goes on from there';
    throw new OciError('CANCELLED', error.message, { hint, cause: error });
  }
}
