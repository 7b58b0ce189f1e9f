import type { Failures } from '../../sync/failures.ts';
import type { SyncPlan } from '../../sync/plan.ts';
import { removeTags } from '../delete/remove-tags.ts';

interface RemoveOptions {
  readonly failures: Failures;
  readonly signal: AbortSignal;
  /** Called for each tag that was removed, with its full name. */
  readonly deleted: (name: string) => Promise<void>;
  /** Called for each tag that stays, with the reason. */
  readonly kept: (name: string, reason: string) => void;
}

/** Removes what the plan says, except where a copy failed. @param incomplete The places where one did. */
export async function removeAll(
  { removals }: SyncPlan,
  incomplete: ReadonlySet<string>,
  { failures, signal, deleted, kept }: RemoveOptions,
): Promise<void> {
  for (const { word, place, tags } of removals) {
    if (incomplete.has(word)) {
      kept(word, 'nothing is deleted there, because a copy to it failed');
      continue;
    }
    await failures.attempt(place.repository, async () => {
      for await (const removal of removeTags(
        place,
        tags.map((tag) => ({ tag })),
        { signal },
      )) {
        const name = `${place.repository}:${removal.tag}`;
        if (removal.outcome === 'failed') failures.add(name, removal.error);
        else if (removal.outcome === 'deleted') await deleted(name);
        else if (removal.outcome === 'kept') kept(name, `it stays: ${removal.reason}`);
      }
    });
  }
}
