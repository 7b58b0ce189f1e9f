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

/** The trace of an attempt. */
export function requestTrace(attempted: Attempted, outcome: Outcome): RequestTrace {
  return new Trace(attempted, outcome);
}

/**
 * Secrets are removed when something is looked at: most listeners only want to know of an answer. All traces share their getters:
 * with getters of its own, each would be a hidden class for V8, which keeps it, and the headers, until it collects old objects.
 */
class Trace implements RequestTrace {
  readonly method: string;
  readonly attempt: number;
  readonly durationMs: number;
  readonly proxy: string | undefined;
  readonly status?: number;
  readonly error?: string;
  readonly speaksTls?: boolean;
  declare readonly url: string;
  declare readonly requestHeaders: Readonly<Record<string, string>>;
  declare readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly #attempted: Attempted;
  readonly #responseHeaders: HttpHeaders;

  constructor(attempted: Attempted, { responseHeaders, ...outcome }: Outcome) {
    this.method = attempted.method;
    this.attempt = attempted.attempt;
    this.durationMs = attempted.durationMs;
    this.proxy = attempted.proxy;
    this.#attempted = attempted;
    this.#responseHeaders = responseHeaders ?? {};
    Object.assign(this, outcome);
    Object.defineProperties(this, Trace.#always);
    if (responseHeaders) Object.defineProperties(this, Trace.#ofAnswer);
  }

  static readonly #always = {
    url: lazily((trace: Trace) => redactUrl(trace.#attempted.url)),
    requestHeaders: lazily((trace: Trace) => redactHeaders(trace.#attempted.requestHeaders, trace.#attempted.own)),
  };
  static readonly #ofAnswer = { responseHeaders: lazily((trace: Trace) => redactHeaders(trace.#responseHeaders)) };
}

function lazily<T, R>(read: (trace: T) => R): PropertyDescriptor {
  return {
    enumerable: true,
    get(this: T) {
      return read(this);
    },
  };
}
