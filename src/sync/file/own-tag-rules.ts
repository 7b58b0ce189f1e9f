import { configError } from '../../config/documents/config-error.ts';
import type { Fields } from '../../config/documents/fields.ts';
import type { Sourced } from '../../config/origin.ts';
import { tryParseDigest } from '../../model/digest.ts';
import { parseExpression } from '../../model/patterns/expression.ts';
import { parseGlob } from '../../model/patterns/glob.ts';
import { quote } from '../../model/quote.ts';
import { tryParseTag } from '../../model/reference/reference.ts';
import { matchingNames } from '../tags/expression.ts';
import type { TagFilter, TagRule } from '../tags/tag-rule.ts';
import { parseVersionRange } from '../tags/version-range.ts';
import { refuseNumbers } from './refuse-numbers.ts';

/** The key `tags` of a source: a rule, or a list of rules; undefined if it is absent. @throws OciError CONFIG_INVALID */
export function ownTagRules(source: Fields): readonly TagRule[] | undefined {
  const given = source.any('tags');
  if (given === undefined) return undefined;
  refuseNumbers(given);
  const entries = Array.isArray(given.value) ? source.mixed('tags') : [source.stringOrObject('tags')];
  const rules = entries.flatMap((entry) =>
    entry === undefined ? [] : 'value' in entry ? wordRule(entry) : objectRule(entry),
  );
  if (rules.length > 0) return rules;
  throw configError(given.origin, '"tags" chooses nothing', 'leave it out for every tag');
}

/** A tag, a digest, or a pattern. */
function wordRule(word: Sourced<string>): TagRule {
  const { value: text, origin } = word;
  const base = { origin, text, newest: undefined };
  const name = tryParseDigest(text) ?? tryParseTag(text);
  if (name !== undefined) return { ...base, names: [name], filters: undefined };
  return { ...base, names: [], filters: [globFilter([word])] };
}

function objectRule(fields: Fields): TagRule {
  const [match, except] = [fields.stringOrStrings('match'), fields.stringOrStrings('except')];
  const [regex, semver, newest] = [fields.string('regex'), fields.string('semver'), fields.count('newest', 1)];
  const filters: TagFilter[] = [];
  if (match.length > 0) filters.push(globFilter(match));
  if (regex) filters.push(expressionFilter(regex));
  if (semver) filters.push(rangeFilter(semver));
  if (filters.length + except.length === 0 && !newest) {
    throw configError(fields.origin, 'this rule chooses nothing', 'give it match, regex, semver, except or newest');
  }
  if (except.length > 0) {
    const excepted = globFilter(except);
    filters.push((tags) => {
      const without = new Set(excepted(tags));
      return tags.filter((tag) => !without.has(tag));
    });
  }
  const words = fields.keys().map((key) => `${key} ${String(fields.any(key)?.value)}`);
  return { origin: fields.origin, text: words.join(', '), names: [], filters, newest: newest?.value };
}

function globFilter(words: readonly Sourced<string>[]): TagFilter {
  const globs = words.map(({ value, origin }) => {
    const glob = parseGlob(value);
    if (glob) return glob;
    throw configError(origin, `${quote(value)} is not a pattern`, 'write it as 3.*, *-alpine or v[0-9]*');
  });
  return (tags) => tags.filter((tag) => globs.some((glob) => glob(tag)));
}

function expressionFilter({ value, origin }: Sourced<string>): TagFilter {
  const expression = parseExpression(value, { whole: false });
  if (expression) return (tags) => matchingNames(tags, expression, origin);
  throw configError(origin, `${quote(value)} is not a regular expression`);
}

function rangeFilter({ value, origin }: Sourced<string>): TagFilter {
  const range = parseVersionRange(value, { suffixes: false });
  if (range) return (tags) => tags.filter(range);
  throw configError(origin, `${quote(value)} is not a range of versions`, 'write it as >=3.18 <4, ^1.2 or 1.x || 3.x');
}
