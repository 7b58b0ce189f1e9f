import { isOciError, OciError } from '../../model/errors.ts';
import { searchCatalog } from '../../registry/catalog-search.ts';
import type { Registry } from '../../registry/registry.ts';
import { printable } from '../../wire/errors.ts';
import { defaultSearchLimit, type SearchEntry } from '../../wire/v1-search.ts';
import { type Searched, searchBySearch } from './by-search.ts';
import { withMirrorHint } from './mirror-hint.ts';
import { parseSearchFilters } from './search-filters.ts';
import type { SearchTerm } from './search-term.ts';

/** Docker Hub's search is not at the address of its API. */
export const defaultSearchIndex = 'https://index.docker.io/';

export interface SearchOptions {
  /** How many results are requested, 1 or more; 0 or absent: 25. Filters select from these, as in Docker. */
  readonly limit?: number | undefined;
  /** `is-official=true`, `stars=3`: a result must match all of them. */
  readonly filters?: readonly string[] | undefined;
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface SearchResults {
  /** `docker.io` or `host[:port]`. */
  readonly registry: string;
  /** What was searched for there. */
  readonly query: string;
  /** `catalog`: the registry has no search; these are names from its list of repositories. */
  readonly source: 'search' | 'catalog';
  /** The best first. Their text is printable. */
  readonly results: readonly SearchEntry[];
  /** How many were found, before filters. */
  readonly found: number;
  /** The registry's total, before filters; undefined if it states none. */
  readonly total: number | undefined;
  /** Whether there are more. */
  readonly more: boolean;
}

/**
 * Searches one registry: with its own search if it has one, otherwise through its list of repositories.
 *
 * @throws OciError USAGE for a filter or a limit; UNSUPPORTED if neither is available; the registry's own errors.
 */
export async function searchRegistry(searched: Searched, opts: SearchOptions): Promise<SearchResults> {
  const { index: registry, query, catalog } = searched;
  const wanted = parseSearchFilters(opts.filters ?? []);
  const limit = readLimit(opts.limit);
  const found = await searchBySearch(searched, limit, opts.signal).catch((error: unknown) => {
    throw withMirrorHint(error, query, searched.mirrors);
  });
  if (found) {
    const { results, total, more } = found;
    return { registry, query, source: 'search', results: results.filter(wanted), found: results.length, total, more };
  }
  if (!catalog) {
    throw new OciError('PROTOCOL', `${registry} did not answer with the results of a search`, { hint: proxyHint });
  }
  // Ask for one more, to see whether there are more.
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

const proxyHint = 'a proxy or a login page of the network may have answered';

function readLimit(limit = 0): number {
  if (limit === 0) return defaultSearchLimit;
  if (Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw new OciError('USAGE', `limit ${limit} is not a number of results`, { hint: 'a limit is 1 or more' });
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
