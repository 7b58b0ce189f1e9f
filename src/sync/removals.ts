/** Finds tags that a destination has and its source has not. */
import { configError } from '../config/documents/config-error.ts';
import { unlessUnknown } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { type RepositoryName, type Tag, tryParseTag } from '../model/reference/reference.ts';
import type { Place } from '../places/place.ts';
import type { NameRule } from './file/name-rule.ts';
import type { SyncSource } from './file/sync-file.ts';
import type { PlanOptions } from './plan-options.ts';
import type { Selection, Wanted } from './select.ts';
import { covered } from './tags/tag-rule.ts';
import { type Target, targetOf } from './target.ts';

/** Tags that are removed from one repository or layout. */
export interface Removals {
  /** The word that names it. */
  readonly word: string;
  readonly place: Place;
  readonly tags: readonly Tag[];
}

/**
 * Looks through the destinations of repositories that were listed completely. A tag there is removed if the rules of the
 * source cover it, and no image of the file goes there. Tags that belong to an image (`sha256-….sig`) stay. Nothing is
 * removed where images of a repository go that could not be listed.
 *
 * @throws OciError CONFIG_INVALID for a template from whose result the tag at the source cannot be told.
 */
export async function findRemovals(
  { listed, failed, isWhole }: Selection,
  wanted: readonly Wanted[],
  { places, failures, signal }: PlanOptions,
): Promise<readonly Removals[]> {
  if (!isWhole) return [];
  const kept = new Set(wanted.map(({ target }) => target.fullName));
  const uncertain = new Set(
    failed.flatMap(({ source, path }) => source.to.map((rule) => inverse(rule, source, path).word)),
  );
  const found = new Map<string, { readonly place: Place; readonly tags: Set<Tag> }>();
  const names = new Map<string, Promise<readonly string[]>>();
  const look = async (source: SyncSource, path: RepositoryName, rule: NameRule): Promise<void> => {
    const { word, tagOf } = inverse(rule, source, path);
    const place = uncertain.has(word)
      ? undefined
      : await places.target({ place: word, name: undefined, tag: undefined });
    if (!place) return;
    const listing = names.get(word) ?? places.ask(word, () => namesAt(place, signal));
    names.set(word, listing);
    const targets = new Map<Tag, Target>();
    for (const name of await listing) {
      const [tag, target] = tagOf(name) ?? [];
      if (tag !== undefined && target && !kept.has(target.fullName)) targets.set(tag, target);
    }
    const candidates = [...targets.keys()].filter((tag) => !/^sha(?:256|512)-/.test(tag));
    const rules = source.tags.map((each) => covered(candidates, each));
    const doomed = new Set(source.tags.length === 0 ? candidates : rules.flat());
    const entry = found.get(word) ?? { place, tags: new Set<Tag>() };
    for (const tag of doomed) {
      const there = await places.target(targets.get(tag) as Target);
      if (there?.tag !== undefined) entry.tags.add(there.tag);
    }
    found.set(word, entry);
  };
  await failures.all(
    listed.flatMap(({ source, path }) =>
      source.to.map((rule) => () => failures.attempt(rule.text, () => look(source, path, rule))),
    ),
  );
  return [...found].flatMap(([word, { place, tags }]) => (tags.size === 0 ? [] : [{ word, place, tags: [...tags] }]));
}

interface Inverse {
  /** Where images go, whatever their tag. */
  readonly word: string;
  /** The tag at the source of a name that is there; undefined if the rule gives no such name. */
  readonly tagOf: (name: string) => readonly [Tag, Target] | undefined;
}

/** Two tags that no repository has: what their names have in common is what the rule adds. */
const [probe, otherProbe] = ['0ocictl.probe0', 'X-ocictl_other.probe-of-another-length-X'] as [Tag, Tag];

function inverse(rule: NameRule, { host }: SyncSource, path: RepositoryName): Inverse {
  const target = (reference: Tag): Target => targetOf(rule, { host, path, reference });
  const [one, other] = [around(target(probe), probe), around(target(otherProbe), otherProbe)];
  const isSame = JSON.stringify(one) === JSON.stringify(other);
  // A name without the tag has one image, which the file names.
  if (isSame && one.count === 0) return { word: one.word, tagOf: () => undefined };
  if (!isSame || one.count !== 1) {
    const hint = 'with --delete, {{.Tag}} stands once, unchanged, in the tag of the name';
    throw configError(rule.origin, `${quote(rule.text)} does not tell which tag an image had at its source`, hint);
  }
  const { word, before, after } = one;
  return {
    word,
    tagOf(name) {
      if (name.length <= before.length + after.length || !name.startsWith(before) || !name.endsWith(after))
        return undefined;
      const tag = tryParseTag(name.slice(before.length, name.length - after.length));
      const found = tag === undefined ? undefined : target(tag);
      return tag !== undefined && found && nameOf(found) === name && found.place === word ? [tag, found] : undefined;
    },
  };
}

function around(target: Target, tag: Tag) {
  const [before = '', ...rest] = nameOf(target).split(tag);
  return { word: target.place, before, after: rest.join(tag), count: rest.length };
}

function nameOf({ name, tag }: Target): string {
  return name ?? tag ?? '';
}

async function namesAt(place: Place, signal: AbortSignal): Promise<readonly string[]> {
  const names = new Set<string>((await place.names?.()) ?? []);
  const list = async (): Promise<void> => {
    for await (const tag of place.registry.tags(place.repo, { signal })) names.add(tag);
  };
  await unlessUnknown(list());
  return [...names];
}
