/** Finds out which images a sync file is about. */
import { configError } from '../config/documents/config-error.ts';
import { formatOrigin } from '../config/origin.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { isDigestReference, type RepositoryName, type Tag } from '../model/reference/reference.ts';
import type { Place } from '../places/place.ts';
import type { Failures } from './failures.ts';
import type { SyncFile, SyncSource } from './file/sync-file.ts';
import type { PlanOptions } from './plan-options.ts';
import { chooseTags, needsList, type TagRule } from './tags/tag-rule.ts';
import { type Target, targetOf } from './target.ts';

/** An image that shall be at a destination. */
export interface Wanted {
  readonly source: SyncSource;
  /** The repository it is read from. */
  readonly from: Place;
  readonly reference: Tag | Digest;
  /** Where it is read from, in full: `docker.io/library/alpine:3`. */
  readonly name: string;
  /** Whether a list had it; otherwise the file names it. */
  readonly listed: boolean;
  readonly target: Target;
}

interface Repository {
  readonly source: SyncSource;
  readonly path: RepositoryName;
}

export interface Selection {
  readonly wanted: readonly Wanted[];
  /** Repositories whose tags were listed, and of which some were chosen. */
  readonly listed: readonly Repository[];
  /** Those for which that failed. */
  readonly failed: readonly Repository[];
  /** Whether all repositories are known. */
  readonly isWhole: boolean;
}

/**
 * Lists repositories and tags, and applies the rules of each source.
 *
 * @throws OciError what the registries throw; MANIFEST_UNKNOWN or NAME_UNKNOWN for a pattern that matches nothing.
 */
export async function select(file: SyncFile, options: PlanOptions): Promise<Selection> {
  const { failures } = options;
  const selectFrom = async (repository: Repository): Promise<Part> => {
    const { source, path } = repository;
    const chosen = await failures.attempt(`${source.host}/${path}`, () => selectTags(repository, options));
    return { repository, ...(chosen ?? { wanted: [], used: undefined }) };
  };
  const bySource = await failures.all(
    file.sources.map((source) => async () => {
      const paths = await failures.attempt(source.text, () => repositoriesOf(source, options));
      const parts = paths && (await failures.all(paths.map((path) => () => selectFrom({ source, path }))));
      if (parts) tellUnused(source, parts, failures);
      return parts;
    }),
  );
  const parts = bySource.flatMap((each) => each ?? []);
  const withLists = parts.filter(({ repository }) => needsList(repository.source.tags));
  const isSure = ({ wanted, used }: Part): boolean => used !== undefined && wanted.length > 0;
  return {
    wanted: parts.flatMap(({ wanted }) => wanted),
    listed: withLists.filter(isSure).map(({ repository }) => repository),
    failed: withLists.filter((part) => !isSure(part)).map(({ repository }) => repository),
    isWhole: !bySource.includes(undefined),
  };
}

/** What one repository has. */
interface Part {
  readonly repository: Repository;
  readonly wanted: readonly Wanted[];
  /** The rules that chose something; undefined if its tags could not be listed. */
  readonly used: readonly TagRule[] | undefined;
}

/** A rule that chooses nothing in any repository of its source is a mistake. */
function tellUnused({ text, tags }: SyncSource, parts: readonly Part[], failures: Failures): void {
  // What could not be listed was told.
  if (parts.some(({ used }) => used === undefined)) return;
  const used = new Set(parts.flatMap((part) => part.used ?? []));
  for (const rule of tags) if (rule.filters && !used.has(rule)) failures.add(text, nothingMatches(rule, text));
}

function nothingMatches({ origin, text }: TagRule, source: string): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${formatOrigin(origin)}: no tag of ${source} matches ${text}`, {
    hint: 'ocictl tags REPOSITORY lists what there is',
  });
}

async function repositoriesOf(
  { origin, host, text, repositories }: SyncSource,
  { places }: PlanOptions,
): Promise<readonly RepositoryName[]> {
  if (typeof repositories === 'string') return [repositories];
  const names: RepositoryName[] = [];
  await places.ask(host, async () => {
    for await (const name of places.repositories(host)) names.push(name);
  });
  const chosen = repositories(names);
  if (chosen.length > 0) return chosen;
  throw new OciError('NAME_UNKNOWN', `${formatOrigin(origin)}: no repository matches ${text}`, {
    hint: `ocictl repos ${host} lists what there is`,
  });
}

async function selectTags(
  { source, path }: Repository,
  { places, signal }: PlanOptions,
): Promise<Omit<Part, 'repository'>> {
  const { host, tags: rules } = source;
  const from = await places.source(host, path);
  const listed = needsList(rules) ? await places.ask(host, () => listTags(from, source, signal)) : [];
  const { tags, used } = chooseTags(listed, rules);
  const known = new Set<Tag | Digest>(listed);
  const wanted = tags.flatMap((reference) =>
    source.to.map((rule): Wanted => {
      const target = targetOf(rule, { host, path, reference });
      const name = `${from.repository}${isDigestReference(reference) ? '@' : ':'}${reference}`;
      if (target.fullName === name) throw configError(rule.origin, `${name} would be copied to itself`);
      return { source, from, reference, name, listed: known.has(reference), target };
    }),
  );
  return { wanted, used };
}

async function listTags(
  { registry, repo, repository }: Place,
  { referrers, origin }: SyncSource,
  signal: AbortSignal,
): Promise<readonly Tag[]> {
  const tags: Tag[] = [];
  for await (const tag of registry.tags(repo, { signal })) tags.push(tag);
  if (tags.length === 0) throw new OciError('MANIFEST_UNKNOWN', `${formatOrigin(origin)}: ${repository} has no tags`);
  // Lists of referrers are written anew at the destination, if it needs them.
  return referrers ? tags.filter((tag) => !/^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{64})$/.test(tag)) : tags;
}
