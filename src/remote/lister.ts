import { catalogScope, repositoryScope } from '../auth/scopes.ts';
import { type RepositoryName, type Tag, tryParseRepositoryName, tryParseTag } from '../model/reference/reference.ts';
import { limitOf } from '../registry/options.ts';
import type { ListOptions } from '../registry/registry.ts';
import type { RemoteClient } from './client.ts';
import { shownName } from './names.ts';
import { type PagesOptions, pages } from './pages.ts';

const pageEntries = 1000;

/** The lists of a remote registry. */
export class RemoteLister {
  readonly #client: RemoteClient;

  constructor(client: RemoteClient) {
    this.#client = client;
  }

  repositories(opts: ListOptions = {}): AsyncIterable<RepositoryName> {
    const url = this.#client.url({ name: 'catalog' });
    const subject = { what: `repositories of ${this.#client.name}`, notFound: 'UNSUPPORTED' } as const;
    // Without a number, most registries list 100 repositories.
    return this.#entries(url, { scopes: [catalogScope], field: 'repositories', subject }, tryParseRepositoryName, opts);
  }

  tags(repo: RepositoryName, opts: ListOptions = {}): AsyncIterable<Tag> {
    const repository = shownName(this.#client.name, repo);
    const subject = { what: `tags of ${repository}`, repository, notFound: 'NAME_UNKNOWN' } as const;
    const url = this.#client.url({ name: 'tags', repo });
    const list = { scopes: [repositoryScope(repo, 'pull')], field: 'tags', subject, thenEntries: pageEntries };
    return this.#entries(url, list, tryParseTag, opts);
  }

  async *#entries<T extends string>(
    url: URL,
    list: Omit<PagesOptions, 'signal'>,
    parse: (value: unknown) => T | undefined,
    { after, signal, ...part }: ListOptions,
  ): AsyncGenerator<T, void, undefined> {
    signal?.throwIfAborted();
    const limit = limitOf(part);
    if (limit === 0) return;
    const first = new URL(url);
    if (limit <= pageEntries || !list.thenEntries) first.searchParams.set('n', String(Math.min(limit, pageEntries)));
    if (after !== undefined) first.searchParams.set('last', after);
    let left = limit;
    let isFirst = true;
    for await (const { document, isLast } of pages(this.#client, first, { ...list, signal })) {
      const entries = document[list.field];
      // A list may be null, and contain null, digests, and names that cannot be requested.
      const values = (Array.isArray(entries) ? entries : []).map(parse).filter((value) => value !== undefined);
      for (const value of isFirst ? behind(values, after, isLast) : values) {
        signal?.throwIfAborted();
        yield value;
        left -= 1;
        if (left === 0) return;
      }
      isFirst = false;
    }
  }
}

// Debian's docker-registry 2.8 ignores `last`, and sends all tags at once in any order. So a list of one page is sorted
// here. A longer one has the registry's order: it is cut after `after`, if that is in it.
function behind<T extends string>(values: readonly T[], after: string | undefined, whole: boolean): readonly T[] {
  if (!whole) return after === undefined ? values : values.slice((values as readonly string[]).indexOf(after) + 1);
  const sorted = [...values].sort();
  return after === undefined ? sorted : sorted.filter((value) => value > after);
}
