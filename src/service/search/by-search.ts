import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import { isOciError } from '../../model/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import { RemoteClient } from '../../remote/client.ts';
import type { HttpResponse } from '../../transport/http.ts';
import {
  type DecodedSearch,
  decodeSearch,
  maxSearchLimit,
  type SearchEntry,
  v1PingPath,
  v1SearchPath,
} from '../../wire/v1-search.ts';
import { askFirstAnswering, type Connect } from '../open/answering.ts';
import type { SearchTerm } from './search-term.ts';

const maxAnswerBytes = 4 * 1024 * 1024;
/** Each has 100 results. The limit stops a registry that always has another page. */
const maxPages = 1000;
/** The scope that Docker requests; a token server that does not know it ignores it. */
const scopes = ['registry:catalog:search'];

/** A registry to be searched. */
export interface Searched extends SearchTerm {
  readonly endpoints: readonly APIEndpoint[];
  readonly connect: Connect;
  /** Opens its list of repositories; undefined: it has none, and its search must answer. */
  readonly catalog: (() => Promise<Registry>) | undefined;
  /** Addresses of the mirrors that a pull would ask; for a hint. */
  readonly mirrors: readonly string[];
}

interface FoundBySearch {
  readonly results: readonly SearchEntry[];
  /** The registry's total; undefined if it states none. */
  readonly total: number | undefined;
  readonly more: boolean;
}

/**
 * Uses a registry's own search, page by page until there are enough results.
 *
 * @returns Undefined if the registry has no search.
 */
export function searchBySearch(
  { index, query, endpoints, connect, catalog }: Searched,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<FoundBySearch | undefined> {
  return askFirstAnswering(endpoints, connect, async ({ transport, authorizer }) => {
    const client = new RemoteClient({ name: index, transport, authorizer });
    const get = (path: string, parameters: Readonly<Record<string, string>> = {}): Promise<HttpResponse> => {
      const url = new URL(`.${path}`, transport.base);
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return client.send({ method: 'GET', url, scopes, headers: { 'x-docker-token': 'true' }, signal });
    };
    const pageSize = Math.min(limit, maxSearchLimit);
    const getPage = async (page: number): Promise<DecodedSearch | undefined> => {
      const which: Record<string, string> = page === 1 ? {} : { page: String(page) };
      const response = await get(v1SearchPath, { q: query, n: String(pageSize), ...which });
      if (response.status === 200) return decodeSearch(await response.body.bytes(maxAnswerBytes));
      if (!catalog || page > 1 || response.status === 429 || response.status >= 500) {
        throw await client.error(response, { what: `search at ${index}`, notFound: 'UNSUPPORTED' });
      }
      await response.body.discard();
      return undefined;
    };
    try {
      // Docker Hub is known to have search: skip the ping.
      if (catalog && !(await isOk(await get(v1PingPath)))) return undefined;
      const first = await getPage(1);
      return first && (await collect(first, { limit, pageSize, getPage }));
    } catch (error) {
      // The list of repositories may still be allowed; if it is not, its error says the same.
      if (catalog && isOciError(error, 'UNAUTHORIZED', 'DENIED')) return undefined;
      throw error;
    }
  });
}

interface Paging {
  readonly limit: number;
  readonly pageSize: number;
  readonly getPage: (page: number) => Promise<DecodedSearch | undefined>;
}

async function collect(first: DecodedSearch, { limit, pageSize, getPage }: Paging): Promise<FoundBySearch> {
  const found = new Map(first.entries.map((entry) => [entry.name, entry]));
  const { total } = first;
  let last: DecodedSearch | undefined = first;
  const isFull = (): boolean => (last?.entries.length ?? 0) >= pageSize;
  for (let page = 2; found.size < limit && isFull() && page <= maxPages; page += 1) {
    const before = found.size;
    last = await getPage(page);
    for (const entry of last?.entries ?? []) if (!found.has(entry.name)) found.set(entry.name, entry);
    // A registry without pages sends the first one again.
    if (found.size === before) break;
  }
  const results = [...found.values()].slice(0, limit);
  const more = found.size > limit || (total === undefined ? isFull() : total > results.length);
  return { results, total, more };
}

async function isOk(response: HttpResponse): Promise<boolean> {
  await response.body.discard();
  return response.status === 200;
}
