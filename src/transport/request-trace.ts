import type { HttpHeaders, HttpMethod } from './http.ts';
import { redactHeaders, redactUrl } from './redact.ts';

/** An attempt of a request, for `-v`. It contains no secrets. */
export interface RequestTrace {
  /** `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`. */
  readonly method: string;
  /** Without credentials and query. */
  readonly url: string;
  /** From 1. */
  readonly attempt: number;
  /** Milliseconds until the headers of the answer, or the failure. */
  readonly durationMs: number;
  /** The proxy that was used, as host:port. */
  readonly proxy?: string | undefined;
  /** HTTP status; absent if there was no answer. */
  readonly status?: number;
  /** Why there is no status. */
  readonly error?: string;
  /** There is no status, but the server speaks TLS: it must not be contacted over plain http. */
  readonly speaksTls?: boolean;
  /** With secrets removed. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** With secrets removed; absent if there was no answer. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

interface Attempted {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly attempt: number;
  readonly durationMs: number;
  readonly proxy: string | undefined;
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Headers that the user configured. */
  readonly own: Readonly<Record<string, string>> | undefined;
}

/** How an attempt ended, as in {@link RequestTrace}; headers as they came. */
export interface Outcome extends Pick<RequestTrace, 'status' | 'error' | 'speaksTls'> {
  readonly responseHeaders?: HttpHeaders;
}

/** The trace of an attempt. Secrets are removed when something is looked at: most listeners only want to know of an answer. */
export function requestTrace({ own, ...attempted }: Attempted, { responseHeaders, ...outcome }: Outcome): RequestTrace {
  const trace: RequestTrace = {
    ...outcome,
    method: attempted.method,
    attempt: attempted.attempt,
    durationMs: attempted.durationMs,
    proxy: attempted.proxy,
    get url() {
      return redactUrl(attempted.url);
    },
    get requestHeaders() {
      return redactHeaders(attempted.requestHeaders, own);
    },
  };
  if (responseHeaders === undefined) return trace;
  const get = () => redactHeaders(responseHeaders);
  return Object.defineProperty(trace, 'responseHeaders', { get, enumerable: true });
}
