import type { Context, Place } from '../../app/context.ts';
import { unlessUnknown } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import { digestOfTag } from '../../registry/tags.ts';
import type { DeletionStep } from './with-referrers.ts';

const deletedAtOnce = 8;

/**
 * Deletes, phase by phase. What is gone already is passed over.
 *
 * @throws OciError for the first step that fails. What the step's manifest hangs on is then still there, so that the same
 * deletion can be repeated.
 */
export async function carryOut(
  place: Place,
  steps: readonly DeletionStep[],
  { terminal, signal }: Pick<Context, 'terminal' | 'signal'>,
): Promise<void> {
  let done = 0;
  try {
    for (const phase of new Set(steps.map((step) => step.phase))) {
      const ofPhase = steps.filter((step) => step.phase === phase);
      for await (const _ of inOrder(ofPhase, deletedAtOnce, (step) => deleteOne(place, step, signal))) done += 1;
    }
  } catch (error) {
    if (done > 0)
      terminal.note(`${done} of ${steps.length} deletions were done; the same command goes on with the rest`);
    throw error;
  }
}

async function deleteOne({ registry, repo }: Place, step: DeletionStep, signal: AbortSignal): Promise<void> {
  if (step.what === 'tags') {
    for (const tag of step.tags) await unlessUnknown(registry.deleteTag(repo, tag, { signal }));
    return;
  }
  if (step.what === 'manifest')
    return void (await unlessUnknown(registry.deleteManifest(repo, step.digest, { signal })));
  // Deletions of what it lists have changed it.
  for (const tag of step.tags) {
    const digest = await digestOfTag(registry, repo, tag, { signal });
    if (digest !== undefined) await unlessUnknown(registry.deleteManifest(repo, digest, { signal }));
  }
}

/** What a step deletes, in the form that is shown. */
export function namesOf({ repository }: Place, { what, digest, tags }: DeletionStep): readonly string[] {
  const named = tags.map((tag) => `${repository}:${tag}`);
  return what === 'manifest' ? [`${repository}@${digest}`, ...named] : named;
}
