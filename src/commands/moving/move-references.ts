/** For commands that move the images of several references: they are one batch, so that what images share moves once. */
import type { Context } from '../../app/context.ts';
import type { TransferEvent } from '../../model/events.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import type { TransferResult } from '../../transfer/transfer.ts';
import { forEachReference, type References } from '../command-line/several.ts';
import { Turns } from '../command-line/turns.ts';
import type { Planned } from './planned-batch.ts';
import { forSeveral, runBatch } from './run-batch.ts';

/** How many images are in progress beyond the first unfinished one. The batch limits the memory for their manifests. */
const imagesAhead = 500;

interface ReferenceMoves<P extends Planned> {
  readonly progress: Progress;
  /** For one image. */
  readonly parallelBlobs: number | undefined;
  readonly keeps?: 'parts';
  /** For a single image: the line for stdout about an event, if any. */
  readonly lineOf: (event: TransferEvent) => string | undefined;
  /** The full name of the image that a word means, by which a repeated one is recognised. */
  readonly nameOf: (word: string) => Promise<string>;
  readonly plan: (word: string) => Promise<P>;
  /** Finishes an image that was moved. @returns What prints the result; called in the order of the references. */
  readonly conclude: (plan: P, result: TransferResult) => Promise<() => Promise<void>>;
  /** `pulled` */
  readonly what: string;
}

/** Moves the image of each reference. @throws OciError as {@link forEachReference} */
export async function moveReferences<P extends Planned>(
  references: References,
  { progress, parallelBlobs, keeps, lineOf, nameOf, plan, conclude, what }: ReferenceMoves<P>,
  context: Context,
): Promise<void> {
  const { words, several } = references;
  const [only] = words;
  if (only !== undefined && !several) {
    const { plan: planned, result } = await runBatch(context, { progress, parallelBlobs, keeps, lineOf }, (batch) =>
      batch.move(() => plan(only)),
    );
    const print = await conclude(planned, result);
    return await print();
  }
  const turns = new Turns();
  const options = { progress, keeps, parallelBlobs: forSeveral(parallelBlobs) };
  await runBatch(context, options, async (batch) => {
    const begun = words.map(() => batch.expect());
    const { terminal } = context;
    await forEachReference(references, { terminal, what, atOnce: imagesAhead }, async (word, at) => {
      try {
        // A reference that is repeated finds the image there.
        return await turns.run(await nameOf(word), async () => {
          const moving = batch.move(() => plan(word));
          begun[at]?.();
          const { plan: planned, result } = await moving;
          return await conclude(planned, result);
        });
      } finally {
        begun[at]?.();
      }
    });
  });
}
