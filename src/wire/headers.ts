/** Header fields that client and server share: ranges, links, warnings, retry delays. */

import { parseDurationMs } from '../model/duration.ts';
import { printable } from './errors.ts';

/** Both ends are inclusive, as in HTTP. */
interface HttpRange {
  readonly start: number;
  readonly end: number;
}

/** Names of the API's own header fields, in lower case as Node gives them. */
export const headers = {
  apiVersion: 'docker-distribution-api-version',
  contentDigest: 'docker-content-digest',
  uploadUuid: 'docker-upload-uuid',
  chunkMinLength: 'oci-chunk-min-length',
  subject: 'oci-subject',
  tag: 'oci-tag',
  filtersApplied: 'oci-filters-applied',
} as const;

/** Parses `Range` of a request for a blob of `size` bytes. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2 */
export function parseRangeRequest(value: string | undefined, size: number): HttpRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/i.exec((value ?? '').trim());
  // A server may ignore several ranges, other units and invalid values: it then sends the whole blob.
  if (!match || (match[1] === '' && match[2] === '')) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '') {
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? 'unsatisfiable' : { start: size - suffix, end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'whole';
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/** Formats `Range` of a request. @param endExclusive If absent: to the end. */
export function formatRangeRequest(start: number, endExclusive?: number): string {
  return `bytes=${start}-${endExclusive === undefined ? '' : endExclusive - 1}`;
}

/**
 * Parses `Content-Range` of a 206, including the size of the whole if it is given.
 *
 * @returns Undefined if it is invalid: an end before the start or past the whole, or a number that cannot be an offset.
 */
export function parseContentRange(value: string | undefined): (HttpRange & { readonly size?: number }) | undefined {
  const match = /^bytes\s+(\d+)-(\d+)\/(\d+|\*)$/i.exec((value ?? '').trim());
  const range = match ? rangeOf(match[1], match[2]) : undefined;
  if (!match || !range || match[3] === '*') return range;
  const size = Number(match[3]);
  return Number.isSafeInteger(size) && range.end < size ? { ...range, size } : undefined;
}

/** Formats `Content-Range` of a 206. @param size Bytes of the whole. */
export function formatContentRange(range: HttpRange, size: number): string {
  return `bytes ${range.start}-${range.end}/${size}`;
}

/** Parses `Content-Range` of an upload's chunk: `start-end`, which some clients prefix with `bytes` or `bytes=`. */
export function parseChunkRange(value: string): HttpRange | undefined {
  const match = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/i.exec(value.trim());
  return match ? rangeOf(match[1], match[2]) : undefined;
}

function rangeOf(first: string | undefined, last: string | undefined): HttpRange | undefined {
  const range = { start: Number(first), end: Number(last) };
  return Number.isSafeInteger(range.end) && range.start <= range.end ? range : undefined;
}

/** Formats `Range` of an upload session. distribution sends `0-0` for an empty session, the same as for one byte. */
export function formatUploadRange(size: number): string {
  return `0-${Math.max(size - 1, 0)}`;
}

/** Bytes in a session, from its `Range` header. `0-0` means empty, because chunks of one byte do not occur in practice. */
export function parseUploadRange(value: string | undefined): number | undefined {
  const match = /^(?:bytes=)?0-(\d+)$/.exec((value ?? '').trim());
  const end = Number(match?.[1]);
  if (!Number.isSafeInteger(end)) return undefined;
  return end === 0 ? 0 : end + 1;
}

// Sticky, and each part begins with a character that ends the previous one, so that no header makes them backtrack far.
const betweenLinks = /[\s,]*/y;
const linkTarget = /<([^<>]*)>/y;
/** A target without brackets, which some registries send. A word without a slash or query is not a target. */
const bareTarget = /((?=[^\s<>;",]*[/?])[^\s<>;"]*)/y;
const linkParameter = /\s*;\s*([^\s=;,"]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?/y;

/** The result of parsing the `Link` header of a page. */
type NextLink = { readonly target: string } | 'none' | 'unreadable';

/**
 * The target of the first `Link` with rel=next, or else of the first one without a rel. Brackets may be missing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 */
export function parseNextLink(value: string | readonly string[] | undefined): NextLink {
  const text = typeof value === 'string' ? value : (value ?? []).join(', ');
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  let unreadable = false;
  let unrelated: { readonly target: string } | undefined;
  for (;;) {
    take(betweenLinks);
    const startsAt = at;
    const [, target] = take(linkTarget) ?? take(bareTarget) ?? [];
    let relations: string | undefined;
    for (let parameter = take(linkParameter); parameter; parameter = take(linkParameter)) {
      const [, name = '', quoted, bare = ''] = parameter;
      if (name.toLowerCase() === 'rel') relations ??= quoted ?? bare;
    }
    const link = target === undefined ? undefined : { target: target.replace(/,$/, '') };
    if (link && relations === undefined) unrelated ??= link;
    else if (link && isNext(relations ?? '')) return link;
    const comma = text.indexOf(',', at);
    const end = comma === -1 ? text.length : comma;
    unreadable ||= text.slice(link ? at : startsAt, end).trim() !== '';
    if (comma === -1) return unrelated ?? (unreadable ? 'unreadable' : 'none');
    at = comma + 1;
  }
}

function isNext(relations: string): boolean {
  return relations.toLowerCase().split(/\s/).includes('next');
}

/** Formats the `Link` to the next page. */
export function formatNextLink(target: string): string {
  return `<${target}>; rel="next"`;
}

/**
 * The texts of `Warning: 299` headers, without characters that can control a terminal.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings
 */
export function parseWarnings(value: string | readonly string[] | undefined): readonly string[] {
  const text = typeof value === 'string' ? value : (value ?? []).join(', ');
  return [...text.matchAll(/(?<![^\s,])299\s+\S+\s+"((?:[^"\\]|\\.)*)"/g)].map(([, quoted = '']) =>
    printable(quoted.replace(/\\(.)/g, '$1')),
  );
}

// The maximum for setTimeout: with a larger delay it fires at once.
const maxWaitMs = 2 ** 31 - 1;

/**
 * Parses `Retry-After` into milliseconds: seconds, an HTTP date, or a Go duration as GHCR sends it (`880µs`, `1m30s`).
 *
 * @param nowMs The current time, from which a date is measured.
 * @returns From 0 to 2^31 − 1; undefined if it cannot be parsed.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = (value ?? '').trim();
  if (text.length > 64) return undefined;
  const waitMs = durationMs(text) ?? dateMs(text, nowMs);
  return waitMs === undefined ? undefined : Math.min(Math.max(Math.ceil(waitMs), 0), maxWaitMs);
}

function durationMs(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  // The micro sign and the Greek letter, as UTF-8 bytes that were decoded as Latin-1.
  return parseDurationMs(text.replace(/\u00c2\u00b5|\u00ce\u00bc/g, '\u00b5'));
}

// Date.parse alone would accept `soon 5`, and would take a date in C's format for local time.
function dateMs(text: string, nowMs: number): number | undefined {
  const date = /^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? |\d{4}-\d\d-\d\dT)/i.test(text);
  const utc = /\d{4}$/.test(text) ? `${text} GMT` : text;
  const atMs = date ? Date.parse(utc) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs - nowMs;
}
