import { expectedContent } from '../registry/expected-content.ts';
import type { TransferBatch } from '../transfer/batch.ts';
import { Slots } from '../transfer/slots.ts';
import type { TransferResult } from '../transfer/transfer.ts';
import { isSettled } from './changes.ts';
import type { Failures } from './failures.ts';
import type { LookedAt } from './look.ts';
import type { OpenPlaces } from './open-places.ts';
import type { SyncPlan } from './plan.ts';
import { rootOf } from './root.ts';

/** Images that wait for the batch, which itself limits the memory for their manifests. */
const imagesAhead = 500;

interface CarryOutOptions {
  readonly places: Pick<OpenPlaces, 'written'>;
  readonly batch: Pick<TransferBatch, 'transfer'>;
  /** Called when the last transfer has begun. */
  readonly begun: () => void;
  readonly failures: Failures;
  /** Called for each image that is at its destination now; without `result` if that was known before. */
  readonly done: (image: LookedAt, result: TransferResult | undefined) => Promise<void>;
}

/**
 * Copies what is not at its destination. All images are one batch: a blob that several need goes to a repository once.
 *
 * @returns The places where an image is missing, because its copy failed.
 * @throws the failure that ends the run.
 */
export async function carryOut(
  { images }: SyncPlan,
  { places, batch, begun, failures, done }: CarryOutOptions,
): Promise<ReadonlySet<string>> {
  // An archive is begun when all its images are known.
  const mustKnowAll = images.some(({ to }) => to?.registry.extension(expectedContent));
  const ahead = new Slots(mustKnowAll ? Math.max(1, images.length) : imagesAhead);
  const incomplete = new Set<string>();
  const settled = images.filter(isSettled);
  const moving = images.filter((image) => !isSettled(image));
  let waiting = moving.length;
  if (waiting === 0) begun();
  for (const image of settled) await done(image, undefined);
  const bring = async (image: LookedAt): Promise<void> => {
    const { name, target } = image.wanted;
    const arrived = await failures.attempt(name, async () => {
      const to = await places.written(target);
      if (!to) return false;
      const root = await rootOf(image, to);
      const transferred = batch.transfer(root);
      waiting -= 1;
      if (waiting === 0) begun();
      await done(image, await transferred);
      return true;
    });
    if (!arrived) incomplete.add(target.place);
  };
  await failures.all(moving.map((image) => () => ahead.run(() => bring(image))));
  return incomplete;
}
