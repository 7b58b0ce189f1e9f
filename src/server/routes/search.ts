/** The search of Docker's first registry API, so that `docker search HOST/TERM` finds what is served. */
import { searchCatalog } from '../../registry/catalog-search.ts';
import { defaultSearchLimit, encodeSearch, maxSearchLimit } from '../../wire/v1-search.ts';
import { answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

/** `GET /v1/_ping`: says that there is a search. */
export function getV1Ping(exchange: Exchange): Promise<void> {
  // Docker would otherwise ask for a token of the first API's kind before it searches.
  return answerJson(exchange, true, { 'x-docker-registry-standalone': 'true' });
}

/** `GET /v1/search?q=&n=`: repositories by name; what they are about is not known here. */
export async function getV1Search(exchange: Exchange): Promise<void> {
  const { registry } = exchange;
  const query = exchange.query.get('q') ?? '';
  const limit = readLimit(exchange.query.get('n'));
  const names = await searchCatalog(registry, query, { limit, signal: exchange.signal });
  const entries = names.map((name) => ({ name, description: '', starCount: 0, isOfficial: false }));
  await answerJson(exchange, encodeSearch(query, limit, entries));
}

// A client that asks for more than there may be gets that much, as at Docker Hub.
function readLimit(text: string | null): number {
  const asked = /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
  return asked === 0 ? defaultSearchLimit : Math.min(asked, maxSearchLimit);
}
