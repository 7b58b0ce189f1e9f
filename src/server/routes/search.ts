/** The search of Docker's first registry API, so that `docker search HOST/TERM` works. */
import { searchCatalog } from '../../registry/catalog-search.ts';
import { defaultSearchLimit, encodeSearch, maxSearchLimit } from '../../wire/v1-search.ts';
import { answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

/** `GET /v1/_ping`: announces the search. */
export function getV1Ping(exchange: Exchange): Promise<void> {
  // Without this header Docker would request a token of the first API before it searches.
  return answerJson(exchange, true, { 'x-docker-registry-standalone': 'true' });
}

/** `GET /v1/search?q=&n=&page=`: repositories by name. They have no descriptions here. */
export async function getV1Search(exchange: Exchange): Promise<void> {
  const { registry, signal } = exchange;
  const query = exchange.query.get('q') ?? '';
  const pageSize = Math.min(readCount(exchange.query.get('n')) || defaultSearchLimit, maxSearchLimit);
  const page = Math.min(readCount(exchange.query.get('page')) || 1, maxPages);
  const start = (page - 1) * pageSize;
  const names = await searchCatalog(registry, query, { limit: start + pageSize + 1, signal });
  const entries = names
    .slice(start, start + pageSize)
    .map((name) => ({ name, description: '', starCount: 0, isOfficial: false }));
  const more = names.length > start + pageSize;
  await answerJson(exchange, encodeSearch(query, { page, pageSize, more }, entries));
}

/** Limits the names that one search reads to those of this many pages. */
const maxPages = 2000;

function readCount(text: string | null): number {
  return /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
}
