import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from '../model/clock.ts';
import { OciError } from '../model/errors.ts';
import type { Connections } from './connections.ts';
import { readableAnswer } from './encoding/content-encoding.ts';
import { type Answer, exchange } from './exchange.ts';
import { failureKind } from './failures.ts';
import { refuseConnectionFault } from './faults-in-bodies.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { header } from './http.ts';
import { defaultHeadersTimeoutMs, Origins, type OriginsOptions } from './origins.ts';
import { endpointOf } from './redact.ts';
import { isRedirect, redirectTarget } from './redirects.ts';
import { requestHeaders } from './request-headers.ts';
import { type Outcome, type RequestTrace, requestTrace } from './request-trace.ts';
import { Outage } from './retry/outage.ts';
import type { Turn } from './retry/pressure.ts';
import { createRetry, isRetryableStatus, type Retry, type RetryPolicy } from './retry/retry.ts';
import { isTooMany, retryAfterMs } from './retry/retry-after.ts';
import { isClientCertificateError } from './tls-failures.ts';
import { askedFor, namedTimeout, type Wait, WaitTeller } from './waits.ts';
import { wholeAnswer } from './whole-answer.ts';

export interface TransportOptions extends OriginsOptions {
  /** http(s)://host[:port]/[prefix/], without `v2/`. */
  readonly base: URL;
  /** Sent to the base's origin only, and not after a redirect from another origin. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly userAgent?: string | undefined;
  /** Shared with other transports, and closed by their owner. Default: own connections, closed with the transport. */
  readonly connections?: Connections | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** Whether the API is at the base's own path, instead of `v2/` below it. */
  readonly overridePath?: boolean | undefined;
  /** Added to the API's queries as `ns=`: the registry that a proxy for several should use. */
  readonly namespace?: string | undefined;
  /**
   * Whether another endpoint may be used instead. Then silence at the first contact is an error at once, and outages
   * are not waited out, unless the alternative is not used any more once this one has answered. Default false.
   */
  readonly alternatives?: boolean | 'until-answered' | undefined;
  /** `push`: writes will follow reads, and share their connections. Default `pull`. */
  readonly intent?: 'pull' | 'push' | undefined;
  readonly trace?: ((event: RequestTrace) => void) | undefined;
  /**
   * Called when a request without its own listener does not get on: nothing comes, the server is unreachable or asks to
   * wait, or it is tried again repeatedly.
   */
  readonly onWait?: ((event: Wait) => void) | undefined;
}

/** The connection to one registry endpoint: sockets, TLS, redirects and repetitions. */
export interface Transport {
  readonly base: URL;
  /** The delays, for callers that resume a body. */
  readonly retry: Retry;
  /**
   * Sends a request, follows the redirects of a GET or HEAD unless its caller takes them, and repeats an idempotent request that failed. Every
   * status is returned; after unsuccessful repetitions the last one.
   *
   * @throws OciError NETWORK, TIMEOUT, TLS, PROTOCOL; TOOMANYREQUESTS or UNAVAILABLE if the server requests a longer
   * wait than the policy allows; the signal's reason.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
  /**
   * Opens connections to the base for requests that will certainly follow. What goes wrong is left to them.
   *
   * @param count The number of requests that can then be sent at once. Default 1.
   */
  open(count?: number): void;
  /** Tells that many requests to the base will follow, several at once: HTTP/2 is then worth what it costs. */
  expectMany(): void;
  /** Closes its connections, unless they are shared. */
  close(): Promise<void>;
}

const maxRedirects = 10;
const defaultSilenceMs = 10_000;
/** Total time of a request's timeouts after which its server counts as hung. With the default limits, three timeouts. */
const maxSilentMs = 150_000;
/** The same for a server that worked before, and a request that no caller repeats: five timeouts. */
const maxSilentWhenWellMs = 270_000;

interface Asked extends Partial<Turn> {
  readonly what: string | undefined;
}

/** Creates a transport. No connection is opened before the first request. */
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
    const asked = request.url instanceof URL ? request.url : new URL(request.url, this.base);
    const what = askedFor(asked, this.base);
    const first = this.#placed(asked);
    let url = first;
    // Another origin may redirect back here with a path of its choice: from then on nothing of ours is sent.
    let left = false;
    for (let hops = 0; ; hops += 1) {
      const from = url;
      const inTurn = this.#origins.pressure(url);
      const answer = await inTurn.run(request, (turn) => this.#attempts(request, from, left, { what, ...turn }));
      const canFollow = !request.takesRedirects && (request.method === 'GET' || request.method === 'HEAD');
      const location = canFollow && isRedirect(answer.status) ? header(answer.headers, 'location') : undefined;
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

  open(count = 1): void {
    this.#origins.open(count, this.#options.intent === 'push');
  }

  expectMany(): void {
    this.#origins.expectMany();
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
    // Appended as text: setting a parameter would rewrite the others.
    if (namespace !== undefined && !url.searchParams.has('ns')) {
      placed.search += `${url.search === '' ? '?' : '&'}ns=${encodeURIComponent(namespace)}`;
    }
    return placed;
  }

  async #attempts(request: HttpRequest, url: URL, left: boolean, { what, answered, again }: Asked): Promise<Answer> {
    const { signal } = request;
    const replayable = request.body === undefined || request.body instanceof Uint8Array;
    const repeatable = replayable && (request.idempotent ?? (request.method === 'GET' || request.method === 'HEAD'));
    const outage = new Outage(this.retry);
    const waits = new WaitTeller({ host: url.host, what }, request.onWait, this.#options.onWait);
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
        const answer = await this.#once(request, url, left, { attempt, waits });
        const later = isRetryableStatus(answer.status);
        answered?.(answer.status === 429);
        if (!later) this.#origins.well.add(url.origin);
        failures -= outage.end();
        if (isLast() || !later || (request.takesServerErrors && answer.status >= 500)) return answer;
        const leastMs = retryAfterMs(answer, url, this.retry);
        await answer.body.discard();
        failures += 1;
        const { status } = answer;
        waits.again({ problem: `${url.host} answered ${status}`, status, askedMs: leastMs }, failures, attempt);
        await this.retry.pause(failures, { signal, leastMs });
        await again?.();
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof OciError)) throw error;
        const kind = failureKind(error);
        const known = this.#origins.answered.has(url.origin);
        if (kind === 'timeout') silentMs += monotonicMs() - startedMs;
        // At the first contact fail fast, so that the next endpoint can be tried; for silence only if there is one.
        const gone = kind === 'unreachable' || (kind === 'timeout' && this.#options.alternatives);
        const hopeless =
          kind === 'final' || (!known && gone) || silentMs > (persistent ? maxSilentWhenWellMs : maxSilentMs);
        const away = known && (kind === 'unreachable' || kind === 'reset');
        if (!away) failures -= outage.end();
        const rides = away && outage.failed() && repeatable;
        if ((isLast() && !rides) || hopeless || isTooMany(error)) throw namedTimeout(error, what, attempt);
        if (kind === 'reset' && known && !resetOnce) {
          // The server closed an idle connection at the moment when it was reused.
          resetOnce = true;
          attempt -= 1;
          outage.end();
          continue;
        }
        failures += 1;
        if (!away) {
          waits.again({ problem: error.message, askedMs: 0 }, failures, attempt);
          await this.retry.pause(failures, { signal });
          continue;
        }
        const report = outage.report({ host: url.host, what, attempt }, error);
        if (report && this.retry.outageMs > 0) waits.outage(report, url.origin, this.#origins.outages);
        await outage.pause(failures, signal);
      }
    }
  }

  async #once(
    request: HttpRequest,
    url: URL,
    left: boolean,
    { attempt, waits }: { readonly attempt: number; readonly waits: WaitTeller },
  ): Promise<Answer> {
    const { method, body, moreTimeMs = 0, signal } = request;
    const anonymous = left || (request.anonymous ?? false);
    const headers = requestHeaders(request, { ...this.#options, url, base: this.base, left });
    const startedMs = monotonicMs();
    const attempted = { method, url, attempt, requestHeaders: headers, own: this.#options.headers };
    const tell = (outcome: Outcome): void => {
      const facts = { ...attempted, durationMs: monotonicMs() - startedMs, proxy: this.#origins.proxy(url) };
      this.#options.trace?.(requestTrace(facts, outcome));
    };
    try {
      // undici releases a connection one turn after its response has ended. Without the wait it would open another.
      await setImmediate();
      signal?.throwIfAborted();
      // Not earlier: requests that begin together must not all count on the same idle connection.
      const dispatcher = this.#origins.dispatcher(url, anonymous, request, this.#options.intent === 'push');
      const certsDir = this.#origins.certsDir(url);
      const usualMs = this.#options.limits?.headersTimeoutMs ?? defaultHeadersTimeoutMs;
      const headersTimeoutMs = usualMs + Math.ceil(moreTimeMs);
      const afterMs = this.#options.limits?.silenceMs ?? defaultSilenceMs;
      const answer = await exchange(dispatcher, {
        method,
        url,
        headers,
        body,
        headersTimeoutMs,
        certsDir,
        signal,
        onSilence: waits.isHeard ? { afterMs, tell: () => waits.silent(afterMs, attempt) } : undefined,
      });
      this.#origins.answered.add(url.origin);
      this.#origins.outages.delete(url.origin);
      if (this.#options.trace) tell({ status: answer.status, responseHeaders: answer.headers });
      const readable = readableAnswer(answer, url);
      return await wholeAnswer(await refuseConnectionFault(readable, url, certsDir), request.wholeBytes);
    } catch (thrown) {
      const error = thrown instanceof OciError ? this.#origins.explained(thrown, url) : thrown;
      const told =
        error instanceof OciError ? { error: error.message, speaksTls: isClientCertificateError(error) } : {};
      if (this.#options.trace) tell({ error: 'cancelled', ...told });
      throw error;
    }
  }
}
