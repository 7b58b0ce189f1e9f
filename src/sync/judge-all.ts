import { admission } from '../registry/admission.ts';
import { Slots } from '../transfer/slots.ts';
import type { Failures } from './failures.ts';
import type { SyncPlan } from './plan.ts';
import { judgeImage } from './root.ts';

const atOnce = 9;

/** Finds out, for a run that copies nothing, which images a policy would not let be copied. @throws the failure that ends the run */
export async function judgeAll({ images }: SyncPlan, failures: Failures, signal: AbortSignal): Promise<void> {
  const slots = new Slots(atOnce);
  const judged = images.filter(({ wanted }) => wanted.from.registry.extension(admission));
  await failures.all(
    judged.map((image) => () => slots.run(() => failures.attempt(image.wanted.name, () => judgeImage(image, signal)))),
  );
}
