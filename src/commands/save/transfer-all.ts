import type { Context } from '../../app/context.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import type { BatchOptions, TransferResult, TransferRoot } from '../../transfer/transfer.ts';
import { runBatch } from '../moving/run-batch.ts';

/** Runs transfers that succeed or fail together. @throws what the first that fails throws, when all have ended. */
export async function transferAll(
  roots: readonly TransferRoot[],
  { progress, transform }: Pick<BatchOptions, 'transform'> & { readonly progress: Progress },
  context: Context,
): Promise<readonly TransferResult[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const parallelBlobs = await context.parallelDownloads();
  return runBatch(context, { progress, parallelBlobs, transform, signal, keeps: 'nothing' }, async (batch) => {
    const end = batch.expect();
    const transfers = roots.map((root) => batch.transfer(root));
    end();
    try {
      return await Promise.all(transfers);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(transfers);
      throw error;
    }
  });
}
