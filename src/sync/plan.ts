/** What a synchronisation would do: both sides were looked at, and nothing was written. */
import type { Digest } from '../model/digest.ts';
import { refuseCollisions } from './collisions.ts';
import type { SyncFile } from './file/sync-file.ts';
import { type LookedAt, lookAt } from './look.ts';
import type { PlanOptions } from './plan-options.ts';
import { findRemovals, type Removals } from './removals.ts';
import { select, type Wanted } from './select.ts';

export interface SyncPlan {
  /** Images that are at their destination already come last. */
  readonly images: readonly LookedAt[];
  /** Images that a list had, and that were gone when they were looked at. */
  readonly gone: readonly Wanted[];
  readonly removals: readonly Removals[];
  /** The digests of images at their sources by full names, for a lock file. */
  readonly digests: ReadonlyMap<string, Digest>;
}

/**
 * Lists, chooses, and looks at both sides of every image.
 *
 * @throws OciError CONFIG_INVALID for images that would overwrite each other; what the registries throw.
 */
export async function planSync(file: SyncFile, options: PlanOptions): Promise<SyncPlan> {
  const { failures, removes } = options;
  const selection = await select(file, options);
  const wanted = refuseCollisions(selection.wanted);
  const look = lookAt(options);
  const looked = await failures.all(wanted.map((image) => () => failures.attempt(image.name, () => look(image))));
  const images = looked.flatMap((image) => (image === undefined || image === 'gone' ? [] : [image]));
  return {
    images,
    gone: wanted.filter((_, at) => looked[at] === 'gone'),
    removals: removes ? await findRemovals(selection, wanted, options) : [],
    digests: new Map(images.map(({ wanted: { name }, found }) => [name, found])),
  };
}
