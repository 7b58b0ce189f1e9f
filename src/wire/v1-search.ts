/**
 * Search: the only part of Docker's first registry API that is still in use.
 *
 * @see https://docs.docker.com/reference/cli/docker/search/
 */

import { parseJson } from '../model/json.ts';

/** The ping of the first API: a registry that answers it may have search. */
export const v1PingPath = '/v1/_ping';
export const v1SearchPath = '/v1/search';

/** Default and maximum number of results in one response. */
export const defaultSearchLimit = 25;
export const maxSearchLimit = 100;

/** A repository that was found. Its text is printable: it cannot control the terminal. */
export interface SearchEntry {
  /** `nginx`, `team/app`: without the host. */
  readonly name: string;
  /** Empty if there is none. */
  readonly description: string;
  /** 0 for a registry without stars. */
  readonly starCount: number;
  /** Whether it is one of Docker's official images. */
  readonly isOfficial: boolean;
}

/** Which part of the results a response holds. */
interface SearchPage {
  /** Counted from 1. */
  readonly page: number;
  readonly pageSize: number;
  /** Whether others follow. They are not counted, so the response then names no total. */
  readonly more: boolean;
}

/** The body of a search response. */
export function encodeSearch(
  query: string,
  { page, pageSize, more }: SearchPage,
  entries: readonly SearchEntry[],
): unknown {
  return {
    ...(!more && { num_pages: page, num_results: (page - 1) * pageSize + entries.length }),
    page,
    page_size: pageSize,
    query,
    results: entries.map(({ name, description, starCount, isOfficial }) => ({
      name,
      description,
      star_count: starCount,
      is_official: isOfficial,
      is_automated: false,
    })),
  };
}

export interface DecodedSearch {
  readonly entries: readonly SearchEntry[];
  /** How many results there are in all; undefined if the response does not say. */
  readonly total: number | undefined;
}

/** Parses a search response; undefined if it is not one. Hosts without search may send web pages or other JSON. */
export function decodeSearch(body: Uint8Array): DecodedSearch | undefined {
  let document: unknown;
  try {
    document = parseJson(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  const { results, num_results: count } = (document ?? {}) as Readonly<Record<string, unknown>>;
  const total = typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
  // Go encodes an empty list as null.
  if (results === null) return { entries: [], total };
  return Array.isArray(results) ? { entries: results.flatMap(decodeEntry), total } : undefined;
}

function decodeEntry(value: unknown): readonly SearchEntry[] {
  if (typeof value !== 'object' || value === null) return [];
  const { name, description, star_count: stars, is_official: isOfficial } = value as Record<string, unknown>;
  if (typeof name !== 'string' || plain(name, 512) === '') return [];
  return [
    {
      name: plain(name, 512),
      description: typeof description === 'string' ? plain(description, 4096) : '',
      starCount: typeof stars === 'number' && Number.isSafeInteger(stars) && stars > 0 ? stars : 0,
      isOfficial: isOfficial === true,
    },
  ];
}

// Control, bidirectional and invisible characters could control the terminal or disguise a name.
function plain(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .trim();
}
