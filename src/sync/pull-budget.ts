import { type PullLimit, pullLimits } from '../registry/extensions.ts';
import { isSettled } from './changes.ts';
import type { SyncPlan } from './plan.ts';

/**
 * Sentences about registries that will refuse some of the pulls that a plan needs. Each image takes one at least, and an
 * index one more for each of its images.
 */
export function pullShortages({ images }: SyncPlan): readonly string[] {
  const hosts = new Map<string, { needed: number; limit: PullLimit | undefined }>();
  for (const image of images) {
    const { source, from } = image.wanted;
    const host = hosts.get(source.host) ?? { needed: 0, limit: undefined };
    const limit = from.registry.extension(pullLimits)?.last();
    // The last answer is not known: the lowest number is.
    if (limit && limit.remaining < (host.limit?.remaining ?? Number.POSITIVE_INFINITY)) host.limit = limit;
    if (!isSettled(image)) host.needed += 1;
    hosts.set(source.host, host);
  }
  return [...hosts].flatMap(([host, { needed, limit }]) => {
    if (!limit || limit.remaining >= needed) return [];
    const { remaining, windowSeconds } = limit;
    const window = windowSeconds === undefined ? '' : ` in ${inHours(windowSeconds)}`;
    return [
      `${host} allows ${remaining} more pulls (of ${limit.limit}${window}), and at least ${needed} are needed: ` +
        'the others will be refused; the same command goes on later',
    ];
  });
}

function inHours(seconds: number): string {
  const hours = seconds / 3600;
  return hours < 1
    ? `${Math.ceil(seconds / 60)} minutes`
    : `${Math.round(hours)} hour${Math.round(hours) === 1 ? '' : 's'}`;
}
