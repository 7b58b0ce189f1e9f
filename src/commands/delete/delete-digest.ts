import type { ArchiveWriter, Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { tagsPointingAt } from '../../registry/tags.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { flag } from '../command-line/command.ts';
import { carryOut, namesOf } from './carry-out.ts';
import { noteHanging, whatHangsOn } from './hanging.ts';
import { keepManifests } from './keep-manifests.ts';
import { describeTags } from './needed-digests.ts';
import { type DeletionPlan, type DeletionStep, planWithReferrers } from './with-referrers.ts';

export const referrersOption = flag(
  '--referrers',
  'Delete what hangs on the manifest too: referrers on all levels, and tags such as sha256-….sig',
);

export const dryRunOption = flag('--dry-run', 'Only say what would be deleted; exit status 12 if there is something');

export interface DeletionFlags {
  readonly yes: boolean;
  readonly dryRun?: boolean;
  readonly referrers: boolean;
  /** An archive for what goes. */
  readonly kept?: ArchiveWriter | undefined;
}

/** What a deletion does, or would do. */
export interface Deletion {
  /** What goes, in the form that is shown. */
  readonly names: readonly string[];
  /** What hangs on it and stays behind, likewise; undefined if that is not known. */
  readonly leftBehind: readonly string[] | undefined;
}

/**
 * Deletes the manifest that a place names, with its tags. Stderr says what hangs on it and stays.
 *
 * @throws OciError MANIFEST_UNKNOWN; REFUSED without `yes`, with the names of what would go
 */
export async function deleteDigest(
  place: Place,
  { yes, dryRun = false, referrers, kept }: DeletionFlags,
  context: Pick<Context, 'terminal' | 'signal'>,
): Promise<Deletion> {
  const { registry, repo, reference } = place;
  const { signal } = context;
  const root = await registry.statManifest(repo, reference, { signal });
  const { steps, leftBehind } = await (referrers ? planAll(place, root, context) : planAlone(place, root, context));
  const deletion = { names: steps.flatMap((step) => namesOf(place, step)), leftBehind };
  if (dryRun) return deletion;
  if (!yes) {
    throw new OciError('REFUSED', `this would delete ${deletion.names.join(', ')}`, {
      hint: 'add --yes to delete all of it',
    });
  }
  if (kept) await keepManifests(place, keepable(steps), kept, signal);
  if (referrers) await carryOut(place, steps, context);
  else await registry.deleteManifest(repo, root.digest, { signal });
  return deletion;
}

interface Planned {
  readonly steps: readonly DeletionStep[];
  readonly leftBehind: readonly string[] | undefined;
}

async function planAlone(
  place: Place,
  root: Descriptor,
  { terminal, signal }: Pick<Context, 'terminal' | 'signal'>,
): Promise<Planned> {
  const { digest } = root;
  const [tags, hanging] = await Promise.all([
    tagsPointingAt(place.registry, place.repo, digest, { signal }),
    whatHangsOn(place, root, signal),
  ]);
  noteHanging([hanging], terminal);
  const step = { what: 'manifest', digest, tags: [...tags].sort(), phase: 0 } as const;
  return { steps: [step], leftBehind: hanging.failure ? undefined : hanging.names };
}

async function planAll(
  place: Place,
  root: Descriptor,
  { terminal, signal }: Pick<Context, 'terminal' | 'signal'>,
): Promise<Planned> {
  const { steps, kept } = await planWithReferrers(place, [root], await describeTags(place, signal), signal);
  noteKept(place, kept, terminal);
  return { steps, leftBehind: [...kept.keys()].map((digest) => `${place.repository}@${digest}`) };
}

export function noteKept({ repository }: Place, kept: DeletionPlan['kept'], terminal: Terminal): void {
  for (const [digest, reason] of kept) terminal.note(`${repository}@${digest} stays: ${reason}`);
}

/** Lists of referrers are made anew when these are put back. */
export function keepable(steps: readonly DeletionStep[]): readonly DeletionStep[] {
  return steps.filter(({ what }) => what !== 'list');
}
