import type { Entry, Listing, PageOptions } from '../driver.ts';

/** The key by which entries are ordered. */
export function keyOf({ name, kind }: Entry): string {
  return kind === 'prefix' ? `${name}/` : name;
}

/** A page of entries that are sorted by key. It reads no more entries than it needs. */
export async function pageOf(
  entries: Iterable<Entry> | AsyncIterable<Entry>,
  { after = '', limit = Number.POSITIVE_INFINITY }: PageOptions = {},
): Promise<Listing> {
  const page: Entry[] = [];
  // Most lists are wanted whole.
  if (Array.isArray(entries) && after === '' && entries.length <= limit) return { entries, next: undefined };
  for await (const entry of entries) {
    if (keyOf(entry) <= after) continue;
    const last = page.at(-1);
    if (page.length >= limit) return { entries: page, next: last && keyOf(last) };
    page.push(entry);
  }
  return { entries: page, next: undefined };
}
