import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from '../model/clock.ts';
import { OciError } from '../model/errors.ts';
import { bytesBody } from './body.ts';
import type { Connections } from './connections.ts';
import { readableAnswer } from './encoding/content-encoding.ts';
import { type Answer, exchange } from './exchange.ts';
import { failureKind } from './failures.ts';
import { refuseConnectionFault } from './faults-in-bodies.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { contentLength, header } from './http.ts';
import { defaultHeadersTimeoutMs, Origins, type OriginsOptions } from './origins.ts';
import { endpointOf, redactHeaders, redactUrl } from './redact.ts';
import { isRedirect, redirectTarget } from './redirects.ts';
import { Outage } from './retry/outage.ts';
import { createRetry, isRetryableStatus, type Retry, type RetryPolicy } from './retry/retry.ts';
import { retryAfterMs } from './retry/retry-after.ts';
import { askedFor, namedTimeout, type Silence } from './silence.ts';
import { isClientCertificateError } from './tls-failures.ts';

/** One attempt of one request, for `-v`. Nothing in it is secret. */
export interface RequestTrace {
  readonly method: string;
  readonly url: string;
  /** From 1. */
  readonly attempt: number;
  readonly durationMs: number;
  /** The one it went through, as host:port. */
  readonly proxy?: string | undefined;
  readonly status?: number;
  /** Why there is no status. */
  readonly error?: string;
  /** There is no status, but a server that speaks TLS is there: it must not be asked in plain http. */
  readonly speaksTls?: boolean;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

export interface TransportOptions extends OriginsOptions {
  /** http(s)://host[:port]/[prefix/], without `v2/`. */
  readonly base: URL;
  /** Sent to the base's origin only, and not where another origin led to it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly userAgent?: string | undefined;
  /** Shared with other transports, and closed by their owner. Default: its own, which end with it. */
  readonly connections?: Connections | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** The API is at the base's own path, where others have `v2/` below it. */
  readonly overridePath?: boolean | undefined;
  /** Added to the API's queries as `ns=`: the registry that a proxy of many is asked for. */
  readonly namespace?: string | undefined;
  /**
   * Whether another may be asked instead: silence at the first contact is then an error at once, and no outage is ridden
   * out, unless the other one is not asked any more when this one has answered. Default false.
   */
  readonly alternatives?: boolean | 'until-answered' | undefined;
  readonly trace?: ((event: RequestTrace) => void) | undefined;
  /** Told when a server has sent nothing or could not be reached for a while, once until something moves again. */
  readonly onSilence?: ((event: Silence) => void) | undefined;
}

/** The way to one registry endpoint: connections, TLS, redirects, repetitions. */
export interface Transport {
  readonly base: URL;
  /** The waits, for callers that resume a body. */
  readonly retry: Retry;
  /**
   * Sends a request, follows the redirects of a GET or HEAD, and repeats an idempotent one that failed. Any status is an
   * answer; the last one where repetitions did not help.
   *
   * @throws OciError NETWORK, TIMEOUT, TLS, PROTOCOL; TOOMANYREQUESTS or UNAVAILABLE when the server asks to wait for
   *   longer than the policy allows; the signal's reason.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Cuts every connection that is its own. */
  close(): Promise<void>;
}

const maxRedirects = 10;
const defaultSilenceMs = 10_000;
/** Timeouts of one request in all, after which its server counts as hung. With the usual limits, three. */
const maxSilentMs = 150_000;
/** The same for a server that was well before, and a request that nothing repeats: five. */
const maxSilentWhenWellMs = 270_000;

/** Opens no connection before the first request. */
export function createTransport(options: TransportOptions): Transport {
  return new UndiciTransport(options);
}

class UndiciTransport implements Transport {
  readonly base: URL;
  readonly retry: Retry;
  readonly #options: TransportOptions;
  readonly #origins: Origins;

  constructor(options: TransportOptions) {
    const base = new URL(options.base);
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    this.base = base;
    this.retry = createRetry({ ...(options.alternatives === true && { outageMs: 0 }), ...options.retry });
    this.#options = options;
    this.#origins = options.connections?.to(base, options) ?? new Origins(base, options);
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const asked = new URL(request.url, this.base);
    const what = askedFor(asked, this.base);
    const first = this.#placed(asked);
    let url = first;
    // Another origin may lead back here to a path of its choice: what follows is not sent as ours any more.
    let left = false;
    for (let hops = 0; ; hops += 1) {
      const answer = await this.#attempts(request, url, left, what);
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

  async close(): Promise<void> {
    if (this.#options.connections === undefined) await this.#origins.close();
  }

  #placed(url: URL): URL {
    const { overridePath = false, namespace } = this.#options;
    const api = `${this.base.pathname}v2/`;
    if (url.origin !== this.base.origin || !url.pathname.startsWith(api)) return url;
    const placed = new URL(url);
    if (overridePath) placed.pathname = this.base.pathname + url.pathname.slice(api.length);
    // Appended, because to set a parameter would write the others anew.
    if (namespace !== undefined && !url.searchParams.has('ns')) {
      placed.search += `${url.search === '' ? '?' : '&'}ns=${encodeURIComponent(namespace)}`;
    }
    return placed;
  }

  async #attempts(request: HttpRequest, url: URL, left: boolean, what: string | undefined): Promise<Answer> {
    const { signal } = request;
    const replayable = request.body === undefined || request.body instanceof Uint8Array;
    const repeatable = replayable && (request.idempotent ?? (request.method === 'GET' || request.method === 'HEAD'));
    const outage = new Outage(this.retry);
    let failures = 0;
    let resetOnce = false;
    let silentMs = 0;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const startedMs = monotonicMs();
      const persistent = (request.persistent ?? false) && this.#origins.well.has(url.origin);
      const most = persistent ? this.retry.attempts * 2 - 1 : this.retry.attempts;
      const isLast = (): boolean => !repeatable || failures + 1 >= most;
      try {
        const answer = await this.#once(request, url, left, { attempt, what });
        const later = isRetryableStatus(answer.status);
        if (!later) this.#origins.well.add(url.origin);
        failures -= outage.end();
        if (isLast() || !later || (request.takesServerErrors && answer.status >= 500)) return answer;
        const leastMs = retryAfterMs(answer, url, this.retry);
        await answer.body.discard();
        failures += 1;
        await this.retry.pause(failures, { signal, leastMs });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof OciError)) throw error;
        const kind = failureKind(error);
        const known = this.#origins.answered.has(url.origin);
        if (kind === 'timeout') silentMs += monotonicMs() - startedMs;
        // A first contact fails fast, so that the next endpoint gets its turn; silence only where there is one.
        const gone = kind === 'unreachable' || (kind === 'timeout' && this.#options.alternatives);
        const hopeless =
          kind === 'final' || (!known && gone) || silentMs > (persistent ? maxSilentWhenWellMs : maxSilentMs);
        const away = known && (kind === 'unreachable' || kind === 'reset');
        if (!away) failures -= outage.end();
        const rides = away && outage.failed() && repeatable;
        if ((isLast() && !rides) || hopeless || isTooMany(error)) throw namedTimeout(error, what, attempt);
        if (kind === 'reset' && known && !resetOnce) {
          // The server had closed a kept-alive connection just as it was used again.
          resetOnce = true;
          attempt -= 1;
          outage.end();
          continue;
        }
        failures += 1;
        if (!away) {
          await this.retry.pause(failures, { signal });
          continue;
        }
        this.#tellOutage(outage.report({ host: url.host, what, attempt }, error), url);
        await outage.pause(failures, signal);
      }
    }
  }

  #tellOutage(event: Silence | undefined, { origin }: URL): void {
    if (event === undefined || this.retry.outageMs === 0 || this.#origins.outages.has(origin)) return;
    this.#origins.outages.add(origin);
    this.#options.onSilence?.(event);
  }

  async #once(
    request: HttpRequest,
    url: URL,
    left: boolean,
    { attempt, what }: { readonly attempt: number; readonly what: string | undefined },
  ): Promise<Answer> {
    const { method, body, moreTimeMs = 0, signal } = request;
    const anonymous = left || (request.anonymous ?? false);
    const headers = this.#headers(request, url, left);
    const startedMs = monotonicMs();
    const tell = (outcome: {
      status?: number;
      error?: string;
      speaksTls?: boolean;
      responseHeaders?: Record<string, string>;
    }): void =>
      this.#options.trace?.({
        method,
        url: redactUrl(url),
        attempt,
        durationMs: monotonicMs() - startedMs,
        proxy: this.#origins.proxy(url),
        requestHeaders: redactHeaders(headers, this.#options.headers),
        ...outcome,
      });
    try {
      const dispatcher = this.#origins.dispatcher(url, anonymous, request);
      const certsDir = this.#origins.certsDir(url);
      // undici frees a connection one turn after its answer has ended; without the wait it would open another.
      await setImmediate();
      signal?.throwIfAborted();
      const usualMs = this.#options.limits?.headersTimeoutMs ?? defaultHeadersTimeoutMs;
      const headersTimeoutMs = usualMs + Math.ceil(moreTimeMs);
      const { onSilence, limits } = this.#options;
      const afterMs = limits?.silenceMs ?? defaultSilenceMs;
      const answer = await exchange(dispatcher, {
        method,
        url,
        headers,
        body,
        headersTimeoutMs,
        certsDir,
        signal,
        onSilence: onSilence && {
          afterMs,
          tell: () => onSilence({ host: url.host, what, attempt, silentMs: afterMs }),
        },
      });
      this.#origins.answered.add(url.origin);
      this.#origins.outages.delete(url.origin);
      if (this.#options.trace) tell({ status: answer.status, responseHeaders: redactHeaders(answer.headers) });
      const readable = readableAnswer(answer, url);
      return await whole(await refuseConnectionFault(readable, url, certsDir), request.wholeBytes);
    } catch (thrown) {
      const error = thrown instanceof OciError ? this.#origins.explained(thrown, url) : thrown;
      const told =
        error instanceof OciError ? { error: error.message, speaksTls: isClientCertificateError(error) } : {};
      if (this.#options.trace) tell({ error: 'cancelled', ...told });
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
}

function isTooMany(error: unknown): boolean {
  return error instanceof OciError && error.retryAfterMs !== undefined;
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

async function whole(answer: Answer, maxBytes: number | undefined): Promise<Answer> {
  if (maxBytes === undefined || answer.status !== 200) return answer;
  // The caller says in its error what is too large.
  if ((contentLength(answer.headers) ?? 0) > maxBytes) return answer;
  return { ...answer, body: bytesBody(await answer.body.bytes(maxBytes)) };
}
