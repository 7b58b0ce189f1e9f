import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { searchCatalog } from '../../registry/catalog-search.ts';
import type { Registry } from '../../registry/registry.ts';
import { RemoteClient } from '../../remote/client.ts';
import type { HttpResponse } from '../../transport/http.ts';
import { printable } from '../../wire/errors.ts';
import {
  decodeSearch,
  defaultSearchLimit,
  maxSearchLimit,
  type SearchEntry,
  v1PingPath,
  v1SearchPath,
} from '../../wire/v1-search.ts';
import { askFirstAnswering, type Connect } from '../open/answering.ts';
import { parseSearchFilters } from './search-filters.ts';
import type { SearchTerm } from './search-term.ts';

/** Docker Hub's search is not at the address of its API. */
export const defaultSearchIndex = 'https://index.docker.io/';

export interface SearchOptions {
  /** Results that are asked for, 1 to 100; 0 or absent: 25. Filters choose among these, as in Docker. */
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
}

/** A registry to be searched. */
export interface Searched extends SearchTerm {
  readonly endpoints: readonly APIEndpoint[];
  readonly connect: Connect;
  /** Opens its list of repositories; undefined: there is none, and its search must answer. */
  readonly catalog: (() => Promise<Registry>) | undefined;
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
  const found = await bySearch(searched, limit, opts.signal);
  if (found) return { registry, query, source: 'search', results: found.slice(0, limit).filter(wanted) };
  if (!catalog) {
    throw new OciError('PROTOCOL', `${registry} did not answer with the results of a search`, { hint: proxyHint });
  }
  const results = await byCatalog(await catalog(), searched, limit, opts.signal);
  return { registry, query, source: 'catalog', results: results.filter(wanted) };
}

const proxyHint = 'a proxy or a login page of the network may stand in between';
const maxAnswerBytes = 4 * 1024 * 1024;
/** What Docker asks for; token servers that do not know it leave it out. */
const scopes = ['registry:catalog:search'];

function readLimit(limit = 0): number {
  if (limit === 0) return defaultSearchLimit;
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxSearchLimit) return limit;
  throw new OciError('USAGE', `limit ${limit} is outside the range of [1, ${maxSearchLimit}]`);
}

/** undefined: the registry has no search. */
function bySearch(
  { index, query, endpoints, connect, catalog }: Searched,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<readonly SearchEntry[] | undefined> {
  return askFirstAnswering(endpoints, connect, async ({ transport, authorizer }) => {
    const client = new RemoteClient({ name: index, transport, authorizer });
    const get = (path: string, parameters: Readonly<Record<string, string>> = {}): Promise<HttpResponse> => {
      const url = new URL(`.${path}`, transport.base);
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return client.send({ method: 'GET', url, scopes, headers: { 'x-docker-token': 'true' }, signal });
    };
    try {
      // Docker Hub is known to have search: skip the ping.
      if (catalog && !(await isOk(await get(v1PingPath)))) return undefined;
      const response = await get(v1SearchPath, { q: query, n: String(limit) });
      if (response.status === 200) return decodeSearch(await response.body.bytes(maxAnswerBytes));
      if (!catalog || response.status === 429 || response.status >= 500) {
        throw await client.error(response, { what: `search at ${index}`, notFound: 'UNSUPPORTED' });
      }
      await response.body.discard();
      return undefined;
    } catch (error) {
      // Its list of repositories may still be open to us; if it is not, that error says the same.
      if (catalog && isOciError(error, 'UNAUTHORIZED', 'DENIED')) return undefined;
      throw error;
    }
  });
}

async function isOk(response: HttpResponse): Promise<boolean> {
  await response.body.discard();
  return response.status === 200;
}

async function byCatalog(
  registry: Registry,
  { index, query }: SearchTerm,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<readonly SearchEntry[]> {
  try {
    const names = await searchCatalog(registry, query, { limit, signal });
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
