/** Filters of regsync: expressions for the whole name, and ranges of versions, in which suffixes count as pre-releases. */
import { configError } from '../../config/documents/config-error.ts';
import type { Fields } from '../../config/documents/fields.ts';
import type { Sourced } from '../../config/origin.ts';
import { parseExpression } from '../../model/patterns/expression.ts';
import { quote } from '../../model/quote.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import { matchingNames } from '../tags/expression.ts';
import type { TagRule } from '../tags/tag-rule.ts';
import { parseVersionRange } from '../tags/version-range.ts';

type Filter<T> = (names: readonly T[]) => readonly T[];

/** The tags that pass one of the sets; none for every tag. @throws OciError CONFIG_INVALID */
export function regsyncTagRules(entry: Fields): readonly TagRule[] {
  const own = entry.object('tags');
  const sets = [...(own ? [own] : []), ...entry.objects('tagSets')];
  return sets.flatMap((set) => {
    const ranges = set.strings('semverRange');
    const filters: Filter<Tag>[] = [...inRanges(ranges), ...allowedNames<Tag>(set)];
    if (filters.length === 0 && set === own) return [];
    const text = set.keys().map((key) => `${key} ${String(set.any(key)?.value)}`);
    return [{ origin: set.origin, text: text.join(', '), names: [], filters, newest: undefined }];
  });
}

/** The repositories that pass; all of them without a filter. */
export function allowedRepositories(filter: Fields | undefined): Filter<RepositoryName> {
  const filters = filter ? allowedNames<RepositoryName>(filter) : [];
  return (names) => filters.reduce((left, each) => each(left), names);
}

function inRanges(words: readonly Sourced<string>[]): readonly Filter<Tag>[] {
  const ranges = words.map(({ value, origin }) => {
    const range = parseVersionRange(value, { suffixes: true });
    if (range) return range;
    throw configError(origin, `${quote(value)} is not a range of versions that ocictl knows`);
  });
  return ranges.length === 0 ? [] : [(tags) => tags.filter((tag) => ranges.some((range) => range(tag)))];
}

function allowedNames<T extends string>(fields: Fields): readonly Filter<T>[] {
  const anyOf = (words: readonly Sourced<string>[]): Filter<T> => {
    const expressions = words.map(({ value, origin }) => {
      const expression = parseExpression(value, { whole: true });
      if (expression) return { expression, origin };
      throw configError(origin, `${quote(value)} is not a regular expression that ocictl knows`);
    });
    return (names) => {
      const found = new Set(expressions.flatMap(({ expression, origin }) => matchingNames(names, expression, origin)));
      return names.filter((name) => found.has(name));
    };
  };
  const [allow, deny] = [fields.strings('allow'), fields.strings('deny')];
  const allowed = allow.length === 0 ? [] : [anyOf(allow)];
  if (deny.length === 0) return allowed;
  const denied = anyOf(deny);
  const without: Filter<T> = (names) => {
    const gone = new Set(denied(names));
    return names.filter((name) => !gone.has(name));
  };
  return [...allowed, without];
}
