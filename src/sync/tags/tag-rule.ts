/** Which tags of a repository are synchronised. */
import type { Origin } from '../../config/origin.ts';
import type { Digest } from '../../model/digest.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { isVersion, sortByVersion } from '../../model/version-order.ts';

/** Keeps some of the tags, in their order. */
export type TagFilter = (tags: readonly Tag[]) => readonly Tag[];

/** Chooses tags: those that are named, and those that pass every filter. A source may have several; any of them suffices. */
export interface TagRule {
  readonly origin: Origin;
  /** As it was written, for messages: `3.*`, `semver >=3.18`. */
  readonly text: string;
  /** Tags and digests that are named. They need not be listed. */
  readonly names: readonly (Tag | Digest)[];
  /** Undefined if the rule only names. */
  readonly filters: readonly TagFilter[] | undefined;
  /** Of those that pass, only this many of the highest versions. */
  readonly newest: number | undefined;
}

/** Whether the list of tags is needed. */
export function needsList(rules: readonly TagRule[]): boolean {
  return rules.length === 0 || rules.some(({ filters }) => filters !== undefined);
}

interface Chosen {
  /** In the order of the list, after those that are named. */
  readonly tags: readonly (Tag | Digest)[];
  /** Rules that chose some of the list. */
  readonly used: readonly TagRule[];
}

/** Applies rules to a list of tags; without rules, every tag is chosen. */
export function chooseTags(listed: readonly Tag[], rules: readonly TagRule[]): Chosen {
  if (rules.length === 0) return { tags: listed, used: [] };
  const passed = new Set<Tag>();
  const used: TagRule[] = [];
  for (const rule of rules) {
    if (rule.filters === undefined) continue;
    const found = newestOf(covered(listed, rule), rule.newest);
    if (found.length > 0) used.push(rule);
    for (const tag of found) passed.add(tag);
  }
  const named = rules.flatMap(({ names }) => names);
  return { tags: [...new Set([...named, ...listed.filter((tag) => passed.has(tag))])], used };
}

/** A rule for several repositories, not all of which have what it names: the list decides. */
export function ofList(rule: TagRule): TagRule {
  const names = new Set<string>(rule.names);
  return rule.filters ? rule : { ...rule, names: [], filters: [(tags) => tags.filter((tag) => names.has(tag))] };
}

/** The tags that a rule is about: those it chooses, and those that are only not among the newest. */
export function covered(tags: readonly Tag[], { names, filters }: TagRule): readonly Tag[] {
  if (filters === undefined) return tags.filter((tag) => names.includes(tag));
  return filters.reduce((left, filter) => filter(left), tags);
}

// A tag that is no version is neither new nor old.
function newestOf(tags: readonly Tag[], count: number | undefined): readonly Tag[] {
  return count === undefined ? tags : sortByVersion(tags.filter(isVersion)).slice(-count);
}
