import type { RepositoryName } from '../../model/reference/reference.ts';
import { routePath } from '../../wire/routes.ts';
import { answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';
import { readPage } from '../http/paging.ts';

/** `GET /v2/<name>/tags/list`. */
export async function getTags(exchange: Exchange, { repo }: { readonly repo: RepositoryName }): Promise<void> {
  const { registry } = exchange;
  const page = await readPage(exchange, routePath({ name: 'tags', repo }), (opts) => registry.tags(repo, opts));
  await answerJson(exchange, { name: repo, tags: page.entries }, page.fields);
}
