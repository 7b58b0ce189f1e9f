import type { ListOptions } from '../../registry/registry.ts';
import { routePath } from '../../wire/routes.ts';
import { answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';
import { readPage } from '../http/paging.ts';

/** `GET /v2/_catalog`. @see https://distribution.github.io/distribution/spec/api/#catalog */
export async function getCatalog(exchange: Exchange): Promise<void> {
  const { registry, state } = exchange;
  const list = (opts: ListOptions) => registry.repositories(opts);
  const page = await readPage(exchange, routePath({ name: 'catalog' }), list, state.maxCatalogPage);
  await answerJson(exchange, { repositories: page.entries }, page.fields);
}
