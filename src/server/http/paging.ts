import { OciError } from '../../model/errors.ts';
import type { ListOptions } from '../../registry/registry.ts';
import { formatNextLink } from '../../wire/headers.ts';
import type { Exchange } from './exchange.ts';

/** Maximum number of entries in a response, whatever the client requests, where no option says otherwise. */
const maxPage = 10_000;

interface Page<T> {
  readonly entries: readonly T[];
  /** The `Link` header, if there is another page. */
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Reads one page of a list, according to `n` and `last` of the request.
 *
 * @param path Path of the next page.
 * @param max Entries on a page, also if the client asks for more.
 * @throws OciError PAGINATION_NUMBER_INVALID
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function readPage<T extends string>(
  exchange: Exchange,
  path: string,
  list: (opts: ListOptions) => AsyncIterable<T>,
  max = maxPage,
): Promise<Page<T>> {
  const size = Math.min(parsePageSize(exchange.query.get('n')) ?? max, max);
  const after = exchange.query.get('last') ?? undefined;
  const entries: T[] = [];
  for await (const entry of list({ after, limit: size === 0 ? 0 : size + 1, signal: exchange.signal })) {
    entries.push(entry);
    if (entries.length > size) break;
  }
  const page = entries.slice(0, size);
  const last = page.at(-1);
  if (last === undefined || entries.length <= size) return { entries: page, fields: {} };
  const query = new URLSearchParams({ n: String(size), last });
  return { entries: page, fields: { link: formatNextLink(`${path}?${query}`) } };
}

function parsePageSize(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new OciError('PAGINATION_NUMBER_INVALID', 'n must be a whole number, 0 or more', { detail: { n: text } });
  }
  return Number(text);
}
