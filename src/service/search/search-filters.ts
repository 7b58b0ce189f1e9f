import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { SearchEntry } from '../../wire/v1-search.ts';

/** Whether a result is selected. */
type SearchFilter = (entry: SearchEntry) => boolean;

/**
 * Reads filters, each `name=value`: `is-official=true|false` and `stars=N`, where the largest N counts. Docker's old
 * `is-automated` is accepted, but no repository is automated any more.
 *
 * @throws OciError USAGE for an unknown filter or value, in Docker's words.
 */
export function parseSearchFilters(words: readonly string[]): SearchFilter {
  const filters = words.map(parseFilter);
  return (entry) => filters.every((filter) => filter(entry));
}

function parseFilter(word: string): SearchFilter {
  const equals = word.indexOf('=');
  if (equals <= 0) {
    throw new OciError('USAGE', `bad format of filter ${quote(word)} (expected name=value)`, { hint });
  }
  const name = word.slice(0, equals).trim().toLowerCase();
  const value = word.slice(equals + 1).trim();
  if (name === 'stars' && /^\d{1,9}$/.test(value)) return ({ starCount }) => starCount >= Number(value);
  const wanted = truth.get(value.toLowerCase());
  if (name === 'is-official' && wanted !== undefined) return ({ isOfficial }) => isOfficial === wanted;
  if (name === 'is-automated' && wanted !== undefined) return () => !wanted;
  const known = name === 'stars' || name === 'is-official' || name === 'is-automated';
  throw new OciError('USAGE', `invalid filter '${known ? `${name}=${value}` : name}'`, { hint });
}

const hint = 'the filters are is-official=true, is-official=false and stars=N';

const truth: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
