import { isOciError, OciError } from '../model/errors.ts';
import { parseJsonObject } from '../model/json-fields.ts';
import { RecentMap } from '../model/recent-map.ts';
import { failureKind } from '../transport/failures.ts';
import { type HttpResponse, headerLines } from '../transport/http.ts';
import { parseNextLink } from '../wire/headers.ts';
import type { RemoteClient, Subject } from './client.ts';

const maxPageBytes = 4 * 1024 * 1024;
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
export interface PagesOptions {
  /** The member of a page that has the entries. */
  readonly field: string;
  readonly scopes: readonly string[];
  readonly subject: Subject;
  /**
   * Entries of a page, for a list whose first request names no number: it is named where all at once are too many, and
   * for the pages after a first one that has a Link.
   */
  readonly thenEntries?: number | undefined;
  readonly signal: AbortSignal | undefined;
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
  const { field, subject } = list;
  const reader = new PageReader(client, first, list);
  let [count, entries, empty] = [0, 0, 0];
  for (let page: Page | undefined = await reader.first(); page; page = await reader.next()) {
    const found = page.document[field];
    const length = Array.isArray(found) ? found.length : 0;
    yield page;
    count += 1;
    entries += length;
    empty = length > 0 ? 0 : empty + 1;
    if (page.isLast) return;
    if (empty === maxEmptyPages) {
      throw refusal(client, subject, `${empty} pages in a row were empty, and each named another after it`);
    }
    if (count === maxPages || entries > maxEntries) {
      throw refusal(client, subject, `there is no end to the list after ${count} pages and ${entries} entries`);
    }
  }
}

/** Requests one page after the other. */
class PageReader {
  readonly #client: RemoteClient;
  readonly #first: URL;
  readonly #list: PagesOptions;
  readonly #asksForAll: boolean;
  readonly #seen = new RecentMap<string, true>(maxRemembered);
  #next: URL | undefined;
  /** The Link itself, if more entries are asked for than it names. */
  #asLinked: URL | undefined;
  #lastEntry: unknown;
  /** Whether links lack the path prefix of a proxy. */
  #misled = false;

  constructor(client: RemoteClient, first: URL, list: PagesOptions) {
    this.#client = client;
    this.#first = first;
    this.#list = list;
    this.#asksForAll = list.thenEntries !== undefined && !first.searchParams.has('n');
  }

  async first(): Promise<Page> {
    const { thenEntries } = this.#list;
    if (!this.#asksForAll) return this.#read(this.#first, false);
    try {
      return await this.#read(this.#first, true);
    } catch (error) {
      this.#list.signal?.throwIfAborted();
      if (!mayListFewer(error)) throw error;
      this.#first.searchParams.set('n', String(thenEntries));
      return this.#read(this.#first, false);
    }
  }

  async next(): Promise<Page | undefined> {
    const url = this.#next;
    if (!url) return undefined;
    if (this.#seen.has(url.href)) {
      throw new OciError('PROTOCOL', `${this.#list.subject.what}: the pages lead in a circle`, {
        endpoint: this.#client.endpoint,
        hint: brokenPaging,
      });
    }
    return this.#read(url, false);
  }

  async #read(url: URL, all: boolean): Promise<Page> {
    const { subject, field } = this.#list;
    const client = this.#client;
    const response = await this.#respond(url);
    if (response.status !== 200) throw await client.error(response, subject);
    const body = await this.#bounded(response.body.bytes(maxPageBytes));
    const document = readDocument(body, client, subject);
    const found = document[field];
    if (Array.isArray(found) && found.length > 0) this.#lastEntry = found.at(-1);
    const linked = nextPage(response, client);
    const next = (this.#misled && linked && ownPage(linked, this.#first, this.#lastEntry)) || linked;
    const longer = all && next ? this.#longer(next) : undefined;
    this.#asLinked = longer && next;
    this.#next = longer ?? next;
    return { document, response, isLast: next === undefined, bytes: body.length };
  }

  async #respond(url: URL): Promise<HttpResponse> {
    this.#seen.set(url.href, true);
    const response = await this.#get(url);
    const own = response.status === 404 ? ownPage(url, this.#first, this.#lastEntry) : undefined;
    if (own && !this.#seen.has(own.href)) {
      await response.body.discard();
      this.#seen.set(own.href, true);
      const again = await this.#get(own);
      this.#misled = again.status === 200;
      return again;
    }
    if (response.status !== 400) return response;
    // The registry may only allow shorter pages: let it choose their length.
    const shorter = url === this.#first ? withoutNumber(url) : this.#asLinked;
    if (!shorter) return response;
    await response.body.discard();
    return this.#get(shorter);
  }

  // A registry that pages by itself sends as few as 50 entries unless it is asked for more.
  #longer(linked: URL): URL | undefined {
    const { thenEntries = 0 } = this.#list;
    if (!linked.searchParams.has('last') || Number(linked.searchParams.get('n')) >= thenEntries) return undefined;
    const url = new URL(linked);
    url.searchParams.set('n', String(thenEntries));
    return url;
  }

  #get(url: URL): Promise<HttpResponse> {
    const { scopes, signal } = this.#list;
    return this.#bounded(this.#client.send({ method: 'GET', url, scopes, wholeBytes: maxPageBytes, signal }));
  }

  async #bounded<T>(read: Promise<T>): Promise<T> {
    try {
      return await read;
    } catch (error) {
      throw isOciError(error, 'TOO_LARGE') ? refusal(this.#client, this.#list.subject, error.message) : error;
    }
  }
}

/** Some registries fail to list many entries at once, take too long, or send more than is read. */
function mayListFewer(error: unknown): boolean {
  if (!isOciError(error)) return false;
  const isCut = error.status === undefined && ['reset', 'timeout'].includes(failureKind(error));
  return isCut || error.code === 'TOO_LARGE' || (error.status ?? 0) >= 500;
}

function refusal(client: RemoteClient, subject: Subject, why: string): OciError {
  return new OciError('TOO_LARGE', `${subject.what}: ${why}`, { endpoint: client.endpoint, hint: brokenPaging });
}

function withoutNumber(url: URL): URL | undefined {
  if (!url.searchParams.has('n')) return undefined;
  url.searchParams.delete('n');
  return url;
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
