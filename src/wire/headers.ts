/** Header fields that client and server share: ranges, links, warnings, waiting times. */

/** Inclusive ends, as HTTP writes them. */
export interface HttpRange {
  readonly start: number;
  readonly end: number;
}

export const headers = {
  apiVersion: 'docker-distribution-api-version',
  contentDigest: 'docker-content-digest',
  uploadUuid: 'docker-upload-uuid',
  chunkMinLength: 'oci-chunk-min-length',
  subject: 'oci-subject',
  tag: 'oci-tag',
  filtersApplied: 'oci-filters-applied',
} as const;

/** `Range` of a blob request, for a blob of `size` bytes. @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2 */
export function parseRangeRequest(value: string | undefined, size: number): HttpRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/i.exec((value ?? '').replaceAll(' ', ''));
  // Several ranges, other units and nonsense may be ignored by a server: the whole blob is the answer.
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

export function formatRangeRequest(start: number, endExclusive?: number): string {
  return `bytes=${start}-${endExclusive === undefined ? '' : endExclusive - 1}`;
}

/** `Content-Range` of a 206, with the size of the whole where it is told. */
export function parseContentRange(value: string | undefined): (HttpRange & { readonly size?: number }) | undefined {
  const match = /^bytes\s+(\d+)-(\d+)\/(\d+|\*)$/i.exec((value ?? '').trim());
  if (!match) return undefined;
  const range = { start: Number(match[1]), end: Number(match[2]) };
  return match[3] === '*' ? range : { ...range, size: Number(match[3]) };
}

export function formatContentRange(range: HttpRange, size: number): string {
  return `bytes ${range.start}-${range.end}/${size}`;
}

/** `Content-Range` of an upload's chunk: `start-end`, which some clients prefix with `bytes` or `bytes=`. */
export function parseChunkRange(value: string): HttpRange | undefined {
  const match = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/i.exec(value.trim());
  if (!match) return undefined;
  const range = { start: Number(match[1]), end: Number(match[2]) };
  return range.end < range.start ? undefined : range;
}

/** `Range` of an upload session. An empty session is `0-0` in distribution, which a session of one byte is as well. */
export function formatUploadRange(size: number): string {
  return `0-${Math.max(size - 1, 0)}`;
}

/** Bytes that a session holds, by its `Range` header; `0-0` counts as nothing, since one-byte chunks do not occur. */
export function parseUploadRange(value: string | undefined): number | undefined {
  const match = /^(?:bytes=)?0-(\d+)$/.exec((value ?? '').trim());
  if (!match) return undefined;
  const end = Number(match[1]);
  return end === 0 ? 0 : end + 1;
}

/** The target of the first `Link` with rel=next. @see https://www.rfc-editor.org/rfc/rfc8288 */
export function parseNextLink(value: string | readonly string[] | undefined): string | undefined {
  const text = typeof value === 'string' ? value : (value ?? []).join(', ');
  for (const [, target = '', parameters = ''] of text.matchAll(
    /<([^>]*)>((?:\s*;\s*[\w!#$&+\-.^`|~*]+\s*(?:=\s*(?:"[^"]*"|[^",;\s]*))?)*)/g,
  )) {
    if (/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?=\s*(?:;|$)))/i.test(parameters)) return target;
  }
  return undefined;
}

export function formatNextLink(target: string): string {
  return `<${target}>; rel="next"`;
}

/** The texts of `Warning: 299` headers. @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings */
export function parseWarnings(value: string | readonly string[] | undefined): readonly string[] {
  const text = typeof value === 'string' ? value : (value ?? []).join(', ');
  return [...text.matchAll(/299\s+\S+\s+"((?:[^"\\]|\\.)*)"/g)].map(([, quoted = '']) =>
    quoted.replace(/\\(.)/g, '$1'),
  );
}

/**
 * `Retry-After` in milliseconds: seconds, an HTTP date, or the durations of Go that GHCR writes (`880µs`, `1.5s`).
 *
 * @param nowMs The clock that a date is measured by.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = (value ?? '').trim();
  if (text === '') return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = /^(\d+(?:\.\d+)?)(ns|µs|μs|us|ms|s|m|h)$/.exec(text);
  if (duration) return Math.ceil(Number(duration[1]) * (durationUnits[duration[2] ?? ''] ?? 0));
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

const durationUnits: Readonly<Record<string, number>> = {
  ns: 1e-6,
  µs: 1e-3,
  μs: 1e-3,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
