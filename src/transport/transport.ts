import { setImmediate } from 'node:timers/promises';
import { OciError } from '../model/errors.ts';
import { parseRetryAfter } from '../wire/headers.ts';
import { bytesBody } from './body.ts';
import { type Answer, exchange } from './exchange.ts';
import { failureKind, networkError, speaksTls } from './failures.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { contentLength, header } from './http.ts';
import { Origins, type TlsSettings, type TransportLimits } from './origins.ts';
import { endpointOf, redactHeaders, redactUrl } from './redact.ts';
import { isRedirect, redirectTarget } from './redirects.ts';
import { createRetry, isRetryableStatus, type Retry, type RetryPolicy } from './retry.ts';

/** One attempt of one request, for `-v`. Nothing in it is secret. */
export interface RequestTrace {
  readonly method: string;
  readonly url: string;
  /** From 1. */
  readonly attempt: number;
  readonly durationMs: number;
  readonly status?: number;
  /** Why there is no status. */
  readonly error?: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

export interface TransportOptions {
  /** http(s)://host[:port]/[prefix/], without `v2/`. */
  readonly base: URL;
  readonly tls?: TlsSettings | undefined;
  /** Sent to the base's origin only, and not where another origin led to it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly userAgent?: string | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly limits?: TransportLimits | undefined;
  readonly trace?: ((event: RequestTrace) => void) | undefined;
}

/** The way to one registry endpoint: connections, TLS, redirects, repetitions. */
export interface Transport {
  readonly base: URL;
  /** The waits that whoever resumes a body keeps to as well. */
  readonly retry: Retry;
  /**
   * Sends a request, follows the redirects of a GET or HEAD, and repeats an idempotent one that failed. Any status is an
   * answer; the last one where repetitions did not help.
   *
   * @throws OciError NETWORK, TIMEOUT, TLS, PROTOCOL; TOOMANYREQUESTS or UNAVAILABLE when the server asks to wait for
   *   longer than the policy allows; the signal's reason.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Cuts every connection. */
  close(): Promise<void>;
}

const maxRedirects = 10;

/** Opens no connection before the first request. */
export function createTransport(options: TransportOptions): Transport {
  return new UndiciTransport(options);
}

class UndiciTransport implements Transport {
  readonly base: URL;
  readonly retry: Retry;
  readonly #options: TransportOptions;
  readonly #origins: Origins;
  /** Origins that have answered: a refused connection there is a hiccup, not a wrong address. */
  readonly #answered = new Set<string>();

  constructor(options: TransportOptions) {
    const base = new URL(options.base);
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    this.base = base;
    this.retry = createRetry(options.retry);
    this.#options = options;
    this.#origins = new Origins(base, options.tls, options.limits);
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const first = new URL(request.url, this.base);
    let url = first;
    // Another origin may lead back here to a path of its choice: what follows is not sent as ours any more.
    let left = false;
    for (let hops = 0; ; hops += 1) {
      request.checkHop?.(url);
      const answer = await this.#attempts(request, url, left);
      const follows = isRedirect(answer.status) && (request.method === 'GET' || request.method === 'HEAD');
      const location = follows ? header(answer.headers, 'location') : undefined;
      if (location === undefined) return { ...answer, url };
      await answer.body.discard();
      if (hops === maxRedirects) {
        throw new OciError('PROTOCOL', `${first.host}: redirected more than ${maxRedirects} times`, {
          endpoint: endpointOf(first),
        });
      }
      url = redirectTarget(location, url);
      left ||= url.origin !== first.origin;
    }
  }

  close(): Promise<void> {
    return this.#origins.close();
  }

  async #attempts(request: HttpRequest, url: URL, left: boolean): Promise<Answer> {
    const { signal } = request;
    const replayable = request.body === undefined || request.body instanceof Uint8Array;
    const repeatable = replayable && (request.idempotent ?? (request.method === 'GET' || request.method === 'HEAD'));
    let resetOnce = false;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const last = !repeatable || attempt >= this.retry.attempts;
      try {
        const answer = await this.#once(request, url, left, attempt);
        if (last || !isRetryableStatus(answer.status)) return answer;
        const leastMs = this.#retryAfter(answer, url);
        await answer.body.discard();
        await this.retry.pause(attempt, { signal, leastMs });
      } catch (error) {
        signal?.throwIfAborted();
        const kind = error instanceof OciError ? failureKind(error) : 'final';
        const known = this.#answered.has(url.origin);
        // A first contact fails fast, so that the next endpoint gets its turn.
        const hopeless = kind === 'final' || (!known && kind !== 'reset') || (kind === 'timeout' && attempt > 1);
        if (last || hopeless || isTooMany(error)) throw error;
        if (kind === 'reset' && known && !resetOnce) {
          // The server had closed a kept-alive connection just as it was used again.
          resetOnce = true;
          attempt -= 1;
          continue;
        }
        await this.retry.pause(attempt, { signal });
      }
    }
  }

  async #once(request: HttpRequest, url: URL, left: boolean, attempt: number): Promise<Answer> {
    const { method, body, headersTimeoutMs, signal } = request;
    const anonymous = left || (request.anonymous ?? false);
    const headers = this.#headers(request, url, left);
    const startedMs = performance.now();
    const tell = (outcome: { status?: number; error?: string; responseHeaders?: Record<string, string> }): void =>
      this.#options.trace?.({
        method,
        url: redactUrl(url),
        attempt,
        durationMs: performance.now() - startedMs,
        requestHeaders: redactHeaders(headers),
        ...outcome,
      });
    try {
      const pool = this.#origins.pool(url, anonymous);
      // undici frees a connection one turn after its answer has ended; without the wait it would open another.
      await setImmediate();
      signal?.throwIfAborted();
      const answer = await exchange(pool, { method, url, headers, body, headersTimeoutMs, signal });
      this.#answered.add(url.origin);
      if (this.#options.trace) tell({ status: answer.status, responseHeaders: redactHeaders(answer.headers) });
      return await refusePlainToTls(answer, url);
    } catch (error) {
      const message = error instanceof OciError ? error.message : 'cancelled';
      if (this.#options.trace) tell({ error: message });
      throw error;
    }
  }

  #headers(request: HttpRequest, url: URL, left: boolean): Record<string, string> {
    const { authorization, anonymous = false, contentBytes, body } = request;
    const own = url.origin === this.base.origin && !anonymous && !left;
    const length = body !== undefined && !(body instanceof Uint8Array) ? contentBytes : undefined;
    return {
      'user-agent': this.#options.userAgent ?? 'ocictl',
      // A proxy that compresses would change the bytes that digests are made of.
      'accept-encoding': 'identity',
      ...(own && lowerCased(this.#options.headers)),
      ...lowerCased(request.headers),
      ...(length !== undefined && { 'content-length': String(length) }),
      ...(authorization !== undefined && !left && { authorization }),
    };
  }

  #retryAfter(answer: Answer, url: URL): number {
    const askedMs = parseRetryAfter(header(answer.headers, 'retry-after'), Date.now()) ?? 0;
    if (askedMs <= this.retry.maxRetryAfterMs) return askedMs;
    void answer.body.cancel();
    const tooMany = answer.status === 429;
    throw new OciError(
      tooMany ? 'TOOMANYREQUESTS' : 'UNAVAILABLE',
      `${tooMany ? 'toomanyrequests: ' : ''}${url.host} asks to wait ${duration(askedMs)} before the next request`,
      { status: answer.status, endpoint: endpointOf(url), retryAfterMs: askedMs, hint: waitHint(tooMany, url) },
    );
  }
}

function isTooMany(error: unknown): boolean {
  return error instanceof OciError && error.retryAfterMs !== undefined;
}

function waitHint(tooMany: boolean, url: URL): string {
  return tooMany ? `wait, or log in with 'ocictl login ${url.host}' for a higher limit` : 'try again later';
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function duration(ms: number): string {
  if (ms < 120_000) return `${Math.ceil(ms / 1000)} seconds`;
  return ms < 7_200_000 ? `${Math.ceil(ms / 60_000)} minutes` : `${Math.ceil(ms / 3_600_000)} hours`;
}

// Go's and nginx's words for plain http on a TLS port; other servers cut the connection.
async function refusePlainToTls(answer: Answer, url: URL): Promise<Answer> {
  if (url.protocol !== 'http:' || answer.status !== 400 || (contentLength(answer.headers) ?? 0) > 4096) return answer;
  const bytes = await answer.body.bytes(64 * 1024).catch((error: unknown) => {
    throw networkError(error, url);
  });
  if (/HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)/i.test(Buffer.from(bytes).toString('latin1'))) {
    throw speaksTls(url);
  }
  return { ...answer, body: bytesBody(bytes) };
}
