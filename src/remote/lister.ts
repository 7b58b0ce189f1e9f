import { catalogScope, repositoryScope } from '../auth/scopes.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { parseJsonObject } from '../model/json-fields.ts';
import { RecentMap } from '../model/recent-map.ts';
import { type RepositoryName, type Tag, tryParseRepositoryName, tryParseTag } from '../model/reference/reference.ts';
import { limitOf } from '../registry/options.ts';
import type { ListOptions } from '../registry/registry.ts';
import { type HttpResponse, headerLines } from '../transport/http.ts';
import { parseNextLink } from '../wire/headers.ts';
import type { RemoteClient, Subject } from './client.ts';
import { shownName } from './names.ts';

const maxPageBytes = 4 * 1024 * 1024;
const pageEntries = 1000;
/** More than any registry lists, even with the shortest pages known (50). A longer list is an attack. */
const maxPages = 100_000;
const maxEntries = 10_000_000;
/** In a row. A registry that shows a user only a few of many repositories may send some. */
const maxEmptyPages = 1000;
/** URLs of pages, each up to the length of a header. A longer cycle is ended by `maxPages`. */
const maxRemembered = 1000;

/** A page of a list. */
interface Page {
  readonly document: Readonly<Record<string, unknown>>;
  readonly response: HttpResponse;
  readonly isLast: boolean;
  /** Bytes of the page. */
  readonly bytes: number;
}

/** Options of {@link pages}. */
interface PagesOptions {
  /** The member of a page that has the entries. */
  readonly field: string;
  readonly scopes: readonly string[];
  readonly subject: Subject;
  readonly signal: AbortSignal | undefined;
}

/** The lists of a remote registry. */
export class RemoteLister {
  readonly #client: RemoteClient;

  constructor(client: RemoteClient) {
    this.#client = client;
  }

  repositories(opts: ListOptions = {}): AsyncIterable<RepositoryName> {
    const url = this.#client.url({ name: 'catalog' });
    const subject = { what: `repositories of ${this.#client.name}`, notFound: 'UNSUPPORTED' } as const;
    return this.#entries(url, [catalogScope], 'repositories', tryParseRepositoryName, subject, opts);
  }

  tags(repo: RepositoryName, opts: ListOptions = {}): AsyncIterable<Tag> {
    const repository = shownName(this.#client.name, repo);
    const subject = { what: `tags of ${repository}`, repository, notFound: 'NAME_UNKNOWN' } as const;
    const url = this.#client.url({ name: 'tags', repo });
    return this.#entries(url, [repositoryScope(repo, 'pull')], 'tags', tryParseTag, subject, opts);
  }

  async *#entries<T extends string>(
    url: URL,
    scopes: readonly string[],
    field: string,
    parse: (value: unknown) => T | undefined,
    subject: Subject,
    { after, signal, ...part }: ListOptions,
  ): AsyncGenerator<T, void, undefined> {
    signal?.throwIfAborted();
    const limit = limitOf(part);
    if (limit === 0) return;
    const first = new URL(url);
    first.searchParams.set('n', String(Math.min(limit, pageEntries)));
    if (after !== undefined) first.searchParams.set('last', after);
    let left = limit;
    let isFirst = true;
    for await (const { document, isLast } of pages(this.#client, first, { field, scopes, subject, signal })) {
      const entries = document[field];
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

/**
 * The pages of a list. The next page must be on the same origin: elsewhere it would be another's list. Pages may be
 * empty, because a registry may filter them.
 *
 * @throws OciError PROTOCOL for a link that cannot be parsed, or that leads elsewhere or back; TOO_LARGE for an endless
 * page, more than 100 000 pages or 10 million entries, or 1000 empty pages in a row.
 */
export async function* pages(
  client: RemoteClient,
  first: URL,
  list: PagesOptions,
): AsyncGenerator<Page, void, undefined> {
  const { field, scopes, subject, signal } = list;
  const refuse = (code: 'PROTOCOL' | 'TOO_LARGE', why: string): OciError =>
    new OciError(code, `${subject.what}: ${why}`, { endpoint: client.endpoint, hint: brokenPaging });
  const seen = new RecentMap<string, true>(maxRemembered);
  let [count, entries, empty] = [0, 0, 0];
  const bounded = <T>(read: Promise<T>): Promise<T> =>
    read.catch((error: unknown) => {
      throw isOciError(error, 'TOO_LARGE') ? refuse('TOO_LARGE', error.message) : error;
    });
  const get = (url: URL): Promise<HttpResponse> =>
    bounded(client.send({ method: 'GET', url, scopes, wholeBytes: maxPageBytes, signal }));
  let last: unknown;
  let misled = false;
  for (let url: URL | undefined = first; url; ) {
    seen.set(url.href, true);
    let response = await get(url);
    const own: URL | undefined = response.status === 404 ? ownPage(url, first, last) : undefined;
    if (own && !seen.has(own.href)) {
      await response.body.discard();
      seen.set(own.href, true);
      response = await get(own);
      misled = response.status === 200;
    }
    if (response.status === 400 && url === first && url.searchParams.has('n')) {
      // The registry may only allow shorter pages: let it choose their length.
      await response.body.discard();
      url.searchParams.delete('n');
      response = await get(url);
    }
    if (response.status !== 200) throw await client.error(response, subject);
    const body = await bounded(response.body.bytes(maxPageBytes));
    const document = readDocument(body, client, subject);
    const linked = nextPage(response, client);
    const found = document[field];
    const length = Array.isArray(found) ? found.length : 0;
    if (length > 0) last = (found as readonly unknown[]).at(-1);
    url = (misled && linked && ownPage(linked, first, last)) || linked;
    yield { document, response, isLast: url === undefined, bytes: body.length };
    if (!url) return;
    if (seen.has(url.href)) throw refuse('PROTOCOL', 'the pages lead in a circle');
    count += 1;
    entries += length;
    empty = length > 0 ? 0 : empty + 1;
    if (empty === maxEmptyPages) {
      throw refuse('TOO_LARGE', `${empty} pages in a row were empty, and each named another after it`);
    }
    if (count === maxPages || entries > maxEntries) {
      throw refuse('TOO_LARGE', `there is no end to the list after ${count} pages and ${entries} entries`);
    }
  }
}

const brokenPaging = 'the paging of this registry is broken; ask it for an image by name';

function readDocument(bytes: Uint8Array, client: RemoteClient, subject: Subject): Readonly<Record<string, unknown>> {
  try {
    return parseJsonObject(bytes);
  } catch (cause) {
    throw new OciError('PROTOCOL', `${subject.what}: the answer is not the JSON of a list`, {
      cause,
      endpoint: client.endpoint,
    });
  }
}

// Behind a proxy that adds a path prefix, registries send links without that prefix. The query is right.
function ownPage(linked: URL, first: URL, last: unknown): URL | undefined {
  if (linked.pathname === first.pathname) return undefined;
  const own = new URL(first);
  if (linked.search !== '') own.search = linked.search;
  else if (typeof last === 'string') own.searchParams.set('last', last);
  else return undefined;
  return own;
}

function nextPage(response: HttpResponse, client: RemoteClient): URL | undefined {
  const link = parseNextLink(headerLines(response.headers, 'link'));
  if (link === 'none') return undefined;
  if (link === 'unreadable') {
    throw new OciError('PROTOCOL', `${client.name}: the Link to the next page of a list cannot be read`, {
      endpoint: client.endpoint,
    });
  }
  const { target } = link;
  const next = URL.canParse(target, response.url.href) ? new URL(target, response.url) : undefined;
  // Behind a proxy that terminates TLS, registries send http:// links and mean the same address.
  if (next?.host === response.url.host && next.protocol === 'http:') next.protocol = response.url.protocol;
  if (next?.origin === response.url.origin) return next;
  throw new OciError('PROTOCOL', `${client.name}: the next page of a list is elsewhere: not followed`, {
    endpoint: client.endpoint,
  });
}

// Debian's docker-registry 2.8 ignores `last`, and sends all tags at once in any order. So a list of one page is sorted
// here. A longer one has the registry's order: it is cut after `after`, if that is in it.
function behind<T extends string>(values: readonly T[], after: string | undefined, whole: boolean): readonly T[] {
  if (!whole) return after === undefined ? values : values.slice((values as readonly string[]).indexOf(after) + 1);
  const sorted = [...values].sort();
  return after === undefined ? sorted : sorted.filter((value) => value > after);
}
