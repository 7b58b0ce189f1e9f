import { isOciError, OciError } from '../../model/errors.ts';
import { searchCatalog } from '../../registry/catalog-search.ts';
import type { Registry } from '../../registry/registry.ts';
import { printable } from '../../wire/errors.ts';
import { defaultSearchLimit, type SearchEntry } from '../../wire/v1-search.ts';
import { type Searched, searchBySearch } from './by-search.ts';
import { parseSearchFilters } from './search-filters.ts';
import type { SearchTerm } from './search-term.ts';

/** Docker Hub's search is not at the address of its API. */
export const defaultSearchIndex = 'https://index.docker.io/';

export interface SearchOptions {
  /** Results that are asked for, 1 or more; 0 or absent: 25. Filters choose among these, as in Docker. */
  readonly limit?: number | undefined;
  /** `is-official=true`, `stars=3`: all of them must hold. */
  readonly filters?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SearchResults {
  /** `docker.io` or `host[:port]`. */
  readonly registry: string;
  /** What was looked for there. */
  readonly query: string;
  /** `catalog`: the registry has no search, and these are names out of its list of repositories. */
  readonly source: 'search' | 'catalog';
  /** The best first. Their text is printable. */
  readonly results: readonly SearchEntry[];
  /** How many were found, before filters. */
  readonly found: number;
  /** How many the registry says there are, before filters; undefined where it does not say. */
  readonly total: number | undefined;
  /** Whether there are others. */
  readonly more: boolean;
}

/**
 * Searches one registry: by its own search where it has one, through its list of repositories otherwise.
 *
 * @throws OciError USAGE for a filter or a limit; UNSUPPORTED where neither way is open; what the registry says.
 */
export async function searchRegistry(searched: Searched, opts: SearchOptions): Promise<SearchResults> {
  const { index: registry, query, catalog } = searched;
  const wanted = parseSearchFilters(opts.filters ?? []);
  const limit = readLimit(opts.limit);
  const found = await searchBySearch(searched, limit, opts.signal);
  if (found) {
    const { results, total, more } = found;
    return { registry, query, source: 'search', results: results.filter(wanted), found: results.length, total, more };
  }
  if (!catalog) {
    throw new OciError('PROTOCOL', `${registry} did not answer with the results of a search`, { hint: proxyHint });
  }
  // One more than wanted tells whether there are others.
  const names = await byCatalog(await catalog(), searched, limit + 1, opts.signal);
  const results = names.slice(0, limit);
  const more = names.length > limit;
  return {
    registry,
    query,
    source: 'catalog',
    results: results.filter(wanted),
    found: results.length,
    total: undefined,
    more,
  };
}

const proxyHint = 'a proxy or a login page of the network may stand in between';

function readLimit(limit = 0): number {
  if (limit === 0) return defaultSearchLimit;
  if (Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw new OciError('USAGE', `limit ${limit} is no number of results`, { hint: 'a limit is 1 or more' });
}

async function byCatalog(
  registry: Registry,
  { index, query }: SearchTerm,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<readonly SearchEntry[]> {
  try {
    const names = await searchCatalog(registry, query, { limit, maxNames: Number.POSITIVE_INFINITY, signal });
    return names.map((name) => ({ name, description: '', starCount: 0, isOfficial: false }));
  } catch (error) {
    if (!isOciError(error, 'UNSUPPORTED')) throw error;
    throw new OciError('UNSUPPORTED', `${printable(index)} offers neither a search nor a list of its repositories`, {
      hint: `ask for a repository by its name: ocictl tags ${printable(index)}/NAME`,
      cause: error,
      endpoint: error.endpoint,
      status: error.status,
    });
  }
}
