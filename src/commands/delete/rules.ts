/** The rules of `delete --match --older-than --keep`, which choose the tags to delete. */

import type { Digest } from '../../model/digest.ts';
import { parseDurationMs } from '../../model/duration.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { sortByVersion } from '../../model/version-order.ts';
import { parseCount, parsePatterns } from '../command-line/option-values.ts';

/** A tag is kept if any of the rules keeps it. */
export interface RetentionRules {
  readonly matches: (tag: Tag) => boolean;
  /** The patterns as they were given; empty for every tag. */
  readonly patterns: readonly string[];
  readonly olderThan: { readonly text: string; readonly ms: number } | undefined;
  readonly keep: number | undefined;
}

/** What the rules need to know about a tag. */
export interface Candidate {
  readonly tag: Tag;
  readonly digest?: Digest | undefined;
  readonly created?: Date | undefined;
}

export interface KeptTag {
  readonly tag: Tag;
  readonly reason: string;
  /** Whether stderr names it: the rules alone do not explain it. */
  readonly notable: boolean;
}

interface RuleFlags {
  readonly match: readonly string[];
  readonly olderThan: string | undefined;
  readonly keep: string | undefined;
}

/** @returns Undefined if no rule is given. @throws OciError USAGE */
export function parseRules({ match, olderThan, keep }: RuleFlags): RetentionRules | undefined {
  if (match.length === 0 && olderThan === undefined && keep === undefined) return undefined;
  const fits = parsePatterns('--match', match);
  // Tags such as sha256-….sig belong to an image: `--match '*'` must not delete the signatures of images that stay.
  const takesDigestTags = match.some((pattern) => pattern.startsWith('sha256-') || pattern.startsWith('sha512-'));
  return {
    matches: (tag) => fits(tag) && (takesDigestTags || !isDigestTag(tag)),
    patterns: match,
    olderThan: olderThan === undefined ? undefined : { text: olderThan, ms: parseAge(olderThan) },
    keep: parseCount('--keep', keep),
  };
}

/** The tags under which cosign, and clients of registries without referrers, store what belongs to an image. */
export function isDigestTag(tag: string): boolean {
  return /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})(?:\..*)?$/.test(tag);
}

/** Whether the rules need to know when images were built. */
export function needsAges({ olderThan, keep }: RetentionRules): boolean {
  return olderThan !== undefined || keep !== undefined;
}

/** Splits the candidates by the rules. Both lists keep the order given. */
export function applyRules(
  candidates: readonly Candidate[],
  rules: RetentionRules,
  now: Date,
): { readonly doomed: readonly Candidate[]; readonly kept: readonly KeptTag[] } {
  const youngest = new Set(youngestFirst(candidates).slice(0, rules.keep ?? 0));
  const doomed: Candidate[] = [];
  const kept: KeptTag[] = [];
  for (const candidate of candidates) {
    const why = reasonToKeep(candidate, rules, { youngest, now });
    if (why) kept.push({ tag: candidate.tag, ...why });
    else doomed.push(candidate);
  }
  return { doomed, kept };
}

function reasonToKeep(
  { tag, digest, created }: Candidate,
  rules: RetentionRules,
  { youngest, now }: { readonly youngest: ReadonlySet<Tag>; readonly now: Date },
): { readonly reason: string; readonly notable: boolean } | undefined {
  if (!needsAges(rules)) return undefined;
  if (digest === undefined) return { reason: 'its image cannot be read', notable: true };
  if (created === undefined) return { reason: 'nothing says when its image was built', notable: true };
  if (youngest.has(tag)) return { reason: `it is one of the ${rules.keep} youngest`, notable: false };
  const { olderThan } = rules;
  if (olderThan && now.getTime() - created.getTime() <= olderThan.ms) {
    return { reason: `it is not older than ${olderThan.text}`, notable: false };
  }
  return undefined;
}

/** If two have the same age, the higher version comes first. */
function youngestFirst(candidates: readonly Candidate[]): readonly Tag[] {
  const ages = new Map<Tag, number>();
  for (const { tag, created } of candidates) if (created) ages.set(tag, created.getTime());
  const highestFirst = [...sortByVersion([...ages.keys()])].reverse();
  return highestFirst.sort((a, b) => (ages.get(b) ?? 0) - (ages.get(a) ?? 0));
}

const dayMs = 86_400_000;

/** Reads an age: `30d`, `2w`, `1d12h`, and Go's durations. */
function parseAge(word: string): number {
  const [, weeks = '0', days = '0', rest = ''] = /^(?:(\d{1,6})w)?(?:(\d{1,6})d)?(.*)$/s.exec(word) ?? [];
  const restMs = rest === '' ? 0 : parseDurationMs(rest);
  if (word !== '' && restMs !== undefined) return (Number(weeks) * 7 + Number(days)) * dayMs + restMs;
  throw new OciError('USAGE', `--older-than takes an age, not ${quote(word)}`, { hint: 'write it as 30d, 2w or 12h' });
}
