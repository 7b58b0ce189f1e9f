/** `delete --match --older-than --keep`: chooses tags, shows them or asks, and removes them. */

import type { ArchiveWriter, Context, Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { digestOfTag } from '../../registry/tags.ts';
import { counted } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import { createPrompter } from '../../terminal/prompt.ts';
import { reportOne } from '../../terminal/report.ts';
import { differs } from '../command-line/exit-status.ts';
import { forEveryTag, throwFailures } from '../moving/every-tag.ts';
import { readCreated } from '../tags/created.ts';
import { carryOut, namesOf } from './carry-out.ts';
import { keepable, noteKept } from './delete-digest.ts';
import { type Hanging, noteHanging } from './hanging.ts';
import { keepManifests, type TaggedManifest } from './keep-manifests.ts';
import { planRemovals, type RemovalWithReferrers, removeTags } from './remove-tags.ts';
import { applyRules, type Candidate, isDigestTag, type KeptTag, needsAges, type RetentionRules } from './rules.ts';

export interface RetentionFlags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly referrers: boolean;
  /** An archive for what goes. */
  readonly kept?: ArchiveWriter | undefined;
}

/**
 * Applies rules to the tags of a repository.
 *
 * @returns The exit status.
 * @throws OciError MANIFEST_UNKNOWN if no tag matches; REFUSED if the user has not agreed; PARTLY_FAILED.
 */
export async function applyRetention(
  place: Place,
  rules: RetentionRules,
  flags: RetentionFlags,
  context: Context,
): Promise<number> {
  const { terminal, signal } = context;
  const { repository } = place;
  const tags: Tag[] = [];
  for await (const tag of place.registry.tags(place.repo, { signal })) tags.push(tag);
  const matching = tags.filter(rules.matches);
  if (matching.length === 0) throw nothingMatches(place, rules);
  const { doomed, kept } = applyRules(await lookAt(place, matching, rules, signal), rules, new Date());
  for (const { tag, reason } of kept.filter(({ notable }) => notable)) {
    terminal.note(`${repository}:${tag} stays: ${reason}`);
  }
  const isAll = doomed.length === tags.filter((tag) => !isDigestTag(tag)).length;
  const count = isAll ? `all ${counted(doomed.length, 'tag')}` : `${doomed.length} of ${counted(tags.length, 'tag')}`;
  if (flags.dryRun) {
    for (const { tag } of flags.json ? [] : doomed) await terminal.out(`Would delete: ${repository}:${tag}\n`);
    const planned = flags.referrers ? await planRemovals(place, doomed, signal) : undefined;
    if (planned) noteKept(place, planned.plan.kept, terminal);
    for (const name of flags.json || !planned ? [] : hangingNames(place, planned))
      await terminal.out(`Would delete: ${name}\n`);
    terminal.note(`${count} of ${repository} would be deleted`);
    if (flags.json)
      await terminal.out(
        `${formatJson(documentOf(place, doomed, kept, { ...flags, alsoDeleted: planned && hangingNames(place, planned) }))}\n`,
      );
    return doomed.length > 0 ? differs : 0;
  }
  if (doomed.length > 0 && !flags.yes) await agree(place, { doomed, count, mayAsk: !isAll && !flags.json }, context);
  const failures = new Map<string, OciError>();
  const deleted: Candidate[] = [];
  const stayed: KeptTag[] = [...kept];
  const byTag = new Map(doomed.map((candidate) => [candidate.tag, candidate]));
  const planned = flags.referrers ? await planRemovals(place, doomed, signal) : undefined;
  if (flags.kept) {
    const going = planned ? keepable(planned.plan.steps) : await manifestsOf(place, doomed, signal);
    await keepManifests(place, going, flags.kept, signal);
  }
  const alsoDeleted = planned && hangingNames(place, planned);
  if (planned) {
    noteKept(place, planned.plan.kept, terminal);
    await carryOut(place, planned.plan.steps, context);
    for (const name of flags.json ? [] : (alsoDeleted ?? [])) await terminal.out(`Deleted: ${name}\n`);
  }
  const onHanging = (all: readonly Hanging[]): void => noteHanging(all, terminal);
  for await (const removal of planned?.removals ?? removeTags(place, doomed, { onHanging, signal })) {
    const { tag } = removal;
    const name = `${repository}:${tag}`;
    if (removal.outcome === 'failed') {
      failures.set(tag, removal.error);
      if (doomed.length > 1) reportOne(name, removal.error, terminal);
    } else if (removal.outcome === 'kept') {
      stayed.push({ tag, reason: removal.reason, notable: true });
      terminal.note(`${name} stays: ${removal.reason}`);
    } else if (removal.outcome === 'deleted') {
      deleted.push(byTag.get(tag) ?? { tag });
      if (!flags.json) await terminal.out(`Deleted: ${name}\n`);
    }
  }
  await place.finish();
  if (flags.json) await terminal.out(`${formatJson(documentOf(place, deleted, stayed, { ...flags, alsoDeleted }))}\n`);
  terminal.note(`${deleted.length} of ${counted(tags.length, 'tag')} of ${repository} deleted`);
  throwFailures(failures, { count: doomed.length, what: 'deleted', hint: 'the others are gone or stay by a rule' });
  return 0;
}

async function lookAt(
  place: Place,
  tags: readonly Tag[],
  rules: RetentionRules,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  if (!needsAges(rules)) return tags.map((tag) => ({ tag }));
  const candidates: Candidate[] = [];
  for await (const dated of readCreated(place, tags, { signal })) candidates.push(dated);
  return candidates;
}

/** With the tags that go. One that was moved after its age was read stays, and is not kept. */
async function manifestsOf(
  { registry, repo }: Place,
  doomed: readonly Candidate[],
  signal: AbortSignal,
): Promise<readonly TaggedManifest[]> {
  const seenAt = new Map(doomed.map(({ tag, digest }) => [tag, digest]));
  const tagsOf = new Map<Digest, Tag[]>();
  const look = (tag: Tag): Promise<Digest | undefined> => digestOfTag(registry, repo, tag, { signal });
  for await (const outcome of forEveryTag(seenAt.keys(), look)) {
    if (outcome.error) throw outcome.error;
    const { tag, result: digest } = outcome;
    if (digest === undefined || digest !== (seenAt.get(tag) ?? digest)) continue;
    tagsOf.set(digest, [...(tagsOf.get(digest) ?? []), tag]);
  }
  return [...tagsOf].map(([digest, tags]) => ({ digest, tags }));
}

interface Removal {
  readonly doomed: readonly Candidate[];
  /** `3 of 12 tags` */
  readonly count: string;
  readonly mayAsk: boolean;
}

/** Asks on a terminal. All tags of a repository are removed only with `--yes`, and so is any with `--json`. @throws OciError REFUSED */
async function agree(
  { repository }: Place,
  { doomed, count, mayAsk }: Removal,
  { terminal, stdin, signal }: Context,
): Promise<void> {
  const input = stdin();
  if (!mayAsk || input.isTTY !== true) {
    throw new OciError('REFUSED', `this would delete ${count} of ${repository}`, {
      hint: 'add --yes to delete them, or see with --dry-run which they are',
    });
  }
  for (const { tag } of doomed) terminal.note(`${repository}:${tag}`);
  const prompter = createPrompter({ input, output: terminal.progressStream, signal });
  const answer = await prompter.line(`Delete ${count} of ${repository}? [y/N] `);
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new OciError('REFUSED', 'nothing was deleted');
}

/** What goes beside the tags that the rules choose, in the form that is shown. */
function hangingNames(place: Place, { removals, plan }: RemovalWithReferrers): readonly string[] {
  const chosen = new Set(removals.map(({ tag }) => `${place.repository}:${tag}`));
  return plan.steps.flatMap((step) => namesOf(place, step)).filter((name) => !chosen.has(name));
}

function documentOf(
  { repository }: Place,
  deleted: readonly Candidate[],
  kept: readonly KeptTag[],
  { dryRun, alsoDeleted }: RetentionFlags & { readonly alsoDeleted: readonly string[] | undefined },
): unknown {
  return {
    repository,
    dryRun,
    deleted: deleted.map(({ tag, digest, created }) => ({ tag, digest, created: created?.toISOString() })),
    kept: kept.map(({ tag, reason }) => ({ tag, reason })),
    ...(alsoDeleted && { alsoDeleted }),
  };
}

function nothingMatches({ repository }: Place, { patterns }: RetentionRules): OciError {
  const what = patterns.length === 0 ? 'has no tags' : `has no tag that matches ${patterns.join(' or ')}`;
  return new OciError('MANIFEST_UNKNOWN', `${repository} ${what}`, {
    hint: `ocictl tags ${repository} lists its tags`,
  });
}
