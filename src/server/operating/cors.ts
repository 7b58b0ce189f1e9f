/** Web pages of other origins that may use the registry. @see https://fetch.spec.whatwg.org/#http-cors-protocol */
import type { OutgoingHttpHeaders } from 'node:http';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

const exposed = [
  'Accept-Ranges',
  'Content-Length',
  'Content-Range',
  'Docker-Content-Digest',
  'Docker-Distribution-Api-Version',
  'Docker-Upload-UUID',
  'ETag',
  'Link',
  'Location',
  'OCI-Chunk-Min-Length',
  'OCI-Filters-Applied',
  'OCI-Subject',
  'OCI-Tag',
  'Range',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');
const accepted = 'Accept, Authorization, Cache-Control, Content-Range, Content-Type, If-None-Match, Range';
/** A browser asks again after that time, so that a changed setting is soon seen. */
const keptSeconds = 600;
const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export interface CorsPolicy {
  /** Whether pages of this origin may also change the registry, and send its logins. */
  readonly isNamed: (origin: string | undefined) => boolean;
  /** The fields of an answer to a page of this origin. */
  readonly fieldsFor: (origin: string | undefined) => OutgoingHttpHeaders;
  /** The fields that answer a preflight; undefined if the origin is not allowed. */
  readonly preflightFor: (origin: string, methods: readonly string[]) => OutgoingHttpHeaders | undefined;
}

/**
 * @param origins `https://ui.example.com`; `*`: pages of every origin may read, without the browser's logins.
 * @returns Undefined if there are none. @throws OciError USAGE
 */
export function corsPolicy(origins: readonly string[]): CorsPolicy | undefined {
  if (origins.length === 0) return undefined;
  const names = new Set(origins.filter((word) => word !== '*').map(originOf));
  const all = origins.includes('*');
  const isNamed = (origin: string | undefined): origin is string => origin !== undefined && names.has(origin);
  const fieldsFor = (origin: string | undefined): OutgoingHttpHeaders => {
    // A cache must not give the answer for one origin to another.
    const vary = names.size === 0 ? {} : { vary: 'Origin' };
    if (isNamed(origin)) return { ...vary, ...exposing(origin), 'access-control-allow-credentials': 'true' };
    return { ...vary, ...(all && exposing('*')) };
  };
  return {
    isNamed,
    fieldsFor,
    preflightFor(origin, methods) {
      if (!isNamed(origin) && !all) return undefined;
      const allowed = isNamed(origin) ? methods : methods.filter((method) => readingMethods.has(method));
      return {
        'access-control-allow-methods': allowed.join(', '),
        'access-control-allow-headers': accepted,
        'access-control-max-age': String(keptSeconds),
      };
    },
  };
}

function exposing(origin: string): OutgoingHttpHeaders {
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
}

function originOf(word: string): string {
  const url = URL.canParse(word) ? new URL(word) : undefined;
  const isNamed = url !== undefined && /^[a-z0-9._-]+$|^\[[0-9a-f:.]+\]$/.test(url.hostname);
  if (isNamed && /^https?:$/.test(url.protocol) && word.toLowerCase() === url.origin) return url.origin;
  throw new OciError('USAGE', `invalid origin ${quote(word)}`, {
    hint: 'an origin is a scheme and a host, as in https://ui.example.com or http://localhost:8080; * alone is for all',
  });
}
