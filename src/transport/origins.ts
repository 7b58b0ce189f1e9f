import { isIP, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Dispatcher } from 'undici';
import type { TlsSettings } from '../certs/tls-settings.ts';
import type { ProxySettings } from '../config/docker/service-keys.ts';
import type { HostFacts } from '../host-facts/host-facts.ts';
import { OciError } from '../model/errors.ts';
import { createConnector, isForwarded } from './connector.ts';
import { failureKind } from './failures.ts';
import { NetworkGuard } from './guard/network-guard.ts';
import type { HttpRequest } from './http.ts';
import { Http2Dispatcher } from './http2/dispatcher.ts';
import type { Http1 } from './http2/http1.ts';
import { LatePool } from './late-pool.ts';
import { Names } from './names.ts';
import { decideProxy } from './proxy/proxy.ts';
import { forwarding } from './proxy/tunnel.ts';
import { ReadDispatcher } from './reads/dispatcher.ts';
import { Pressure } from './retry/pressure.ts';
import { clientCertificateError } from './tls-failures.ts';

export const defaultHeadersTimeoutMs = 60_000;

export interface TransportLimits {
  /** Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Time until the headers of a response. Default 60 000. */
  readonly headersTimeoutMs?: number;
  /** Time between two pieces of a body. Default 60 000. */
  readonly idleTimeoutMs?: number;
  /** Time of silence after which `onWait` is called. Default 10 000. */
  readonly silenceMs?: number;
  /** Default 15 000. */
  readonly keepAliveMs?: number;
  /** Maximum size of a response's headers in bytes. Default 64 KiB: Google Artifact Registry sends 21 KB. */
  readonly headerBytes?: number;
}

export interface OriginsOptions {
  readonly tls?: TlsSettings | undefined;
  readonly limits?: TransportLimits | undefined;
  /** Addresses of the base's host, instead of those of its name. */
  readonly addresses?: readonly string[] | undefined;
  readonly proxy?: ProxySettings | undefined;
  /**
   * Private targets to which a public registry may lead: `host`, `host:port`, or a network in CIDR notation. Default: none.
   */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Where names are looked up. Default: the system's resolver, once for all connections. */
  readonly names?: Names | undefined;
  /** What was learned of hosts. Default: nothing is known, and nothing is kept. */
  readonly hostFacts?: HostFacts | undefined;
}

interface Origin {
  readonly pool: LatePool;
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>;
  readonly reads?: ReadDispatcher;
  /** For hosts whose certificate is verified, as far as they have it. */
  readonly streams?: Http2Dispatcher;
}

/** The connections of a transport: one pool per origin, and another one for anonymous requests to the base. */
export class Origins {
  /** Origins that have answered: if one refuses a connection now, that is temporary, and not a wrong address. */
  readonly answered = new Set<string>();
  /** Origins that have given another answer than "later": they work. */
  readonly well = new Set<string>();
  /** Origins whose outage was reported. */
  readonly outages = new Set<string>();
  readonly #pressures = new Map<string, Pressure>();
  /** Origins that requested a client certificate, and whether one was sent. */
  readonly #identified = new Map<string, boolean>();
  readonly #origins = new Map<string, Origin>();
  readonly #pending = new Set<Socket>();
  readonly #base: URL;
  readonly #options: OriginsOptions;
  readonly #guard: NetworkGuard;
  readonly #names: Names;
  #expectsMany = false;
  #closed = false;

  constructor(base: URL, options: OriginsOptions = {}) {
    this.#base = base;
    this.#options = options;
    const facts = options.hostFacts?.of(base, { verified: options.tls?.verify ?? true });
    this.#names = options.names ?? new Names();
    this.#guard = new NetworkGuard({ base, ...options, facts });
  }

  /** How many requests an origin gets at once. */
  pressure({ origin }: URL): Pressure {
    const known = this.#pressures.get(origin) ?? new Pressure();
    this.#pressures.set(origin, known);
    return known;
  }

  /** The directory for certificates of a host; undefined if unknown. */
  certsDir(url: URL): string | undefined {
    const directory = this.#options.tls?.directory;
    if (directory === undefined || url.origin === this.#base.origin) return directory;
    return join(dirname(directory), url.host);
  }

  /**
   * Explains a failure: if a server requested a client certificate and then cut the connection, it did not get the
   * right one. Node's servers do not report more.
   */
  explained(error: OciError, url: URL): OciError {
    const shown = this.#identified.get(url.origin);
    if (shown === undefined || this.answered.has(url.origin) || failureKind(error) !== 'reset') return error;
    return clientCertificateError(url, { shown, certsDir: this.certsDir(url), cause: error.cause });
  }

  /** The proxy for a URL, as host:port. @throws OciError as {@link dispatcher} */
  proxy(url: URL): string | undefined {
    const decision = decideProxy(url, this.#options.proxy ?? {});
    return decision.kind === 'proxy' ? decision.proxy.url.host : undefined;
  }

  /**
   * @param request.large See HttpRequest.
   * @param withWrites Whether writes follow: a read then uses a connection that they can use as well.
   * @throws OciError CONFIG_INVALID for an invalid proxy address.
   */
  dispatcher(
    url: URL,
    anonymous: boolean,
    request: Pick<HttpRequest, 'method' | 'large' | 'bodyFollows'>,
    withWrites: boolean,
  ): Pick<Dispatcher, 'dispatch'> {
    const origin = this.#origin(url, anonymous);
    const { reads, pool, streams, dispatcher } = origin;
    this.#expectsMany ||= withWrites;
    if (!reads) return dispatcher;
    const http1 = http1Of(pool, reads, request, withWrites);
    if (!streams?.fit || !this.#expectsMany || request.large) return http1;
    if (!streams.isOpen && http1.ready) return http1;
    if (request.bodyFollows !== undefined && !streams.takesBody(request.bodyFollows)) pool.expectBody();
    return { dispatch: (options, handler) => streams.dispatch(options, handler, http1) };
  }

  /** Many requests will follow, several at once: HTTP/2 is worth what it costs. */
  expectMany(): void {
    this.#expectsMany = true;
  }

  /**
   * Opens connections to the base, so that this many requests can be sent at once. Not before it has answered where it
   * may turn out to speak plain http, or to be somebody else.
   */
  open(count: number, forWrites: boolean): void {
    const base = this.#base;
    const verified = base.protocol === 'https:' && (this.#options.tls?.verify ?? true);
    if (this.#closed || !(verified || this.answered.has(base.origin))) return;
    const { pool, reads, streams } = this.#origin(base, false);
    const http1 = forWrites || !reads ? pool : reads;
    this.#expectsMany ||= forWrites || count > 1;
    const withStreams = this.#expectsMany && streams?.fit;
    if (withStreams) streams.open(http1);
    if (count > (withStreams ? 1 : 0)) http1.open(count - (withStreams ? 1 : 0));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const origins = [...this.#origins.values()];
    this.#origins.clear();
    for (const { reads, streams } of origins) {
      streams?.close();
      reads?.close();
    }
    await Promise.all(origins.map(({ pool }) => pool.destroy()));
    // undici would leave them to their timeouts, which would keep the process alive.
    for (const socket of this.#pending) socket.destroy();
  }

  #origin(url: URL, anonymous: boolean): Origin {
    if (this.#closed) throw new OciError('NETWORK', `${url.host}: the transport is closed`, { retryable: false });
    // The client certificate authenticates us, so it is for the base only.
    const ownCertificate = !anonymous && url.origin === this.#base.origin;
    const name = `${ownCertificate ? 'own' : 'other'} ${url.origin}`;
    const known = this.#origins.get(name) ?? this.#open(url, ownCertificate);
    this.#origins.set(name, known);
    return known;
  }

  #open(url: URL, own: boolean): Origin {
    const { tls = {}, limits = {}, proxy: proxies = {}, hostFacts } = this.#options;
    const { connectTimeoutMs = 10_000, headersTimeoutMs = defaultHeadersTimeoutMs, idleTimeoutMs = 60_000 } = limits;
    const { keepAliveMs = 15_000, headerBytes = 64 * 1024 } = limits;
    // A host without verification has none at any port, and may only be at the addresses that were checked.
    const isBase = url.hostname === this.#base.hostname;
    const isName = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
    const addresses = isBase && isName ? this.#options.addresses : undefined;
    const decision = decideProxy(url, proxies);
    const proxy = decision.kind === 'proxy' ? decision.proxy : undefined;
    const forwarded = isForwarded({ url, proxy, addresses }) ? proxy : undefined;
    const verify = !isBase || (tls.verify ?? true);
    const facts = hostFacts?.of(url, { verified: verify });
    const connect = createConnector({
      url,
      tls,
      own,
      verify,
      facts,
      timeoutMs: connectTimeoutMs,
      addresses,
      guard: this.#guard,
      names: this.#names,
      proxy,
      pending: this.#pending,
      onCertificateRequest: () => this.#identified.set(url.origin, own && tls.cert !== undefined),
    });
    const pool = new LatePool(forwarded?.url.origin ?? url.origin, {
      // With HTTP/2, blobs on one connection block each other (undici#4705).
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      maxHeaderSize: headerBytes,
      connect,
    });
    if (forwarded) return { pool, dispatcher: forwarding(pool, forwarded, url) };
    if (proxy) return { pool, dispatcher: pool };
    const its = { url, limits: { headersTimeoutMs, idleTimeoutMs, keepAliveMs, headerBytes }, connect, facts };
    const reads = new ReadDispatcher({ ...its, fallback: pool });
    // At another origin it is not known whether many requests follow.
    const hasStreams = url.protocol === 'https:' && verify && url.origin === this.#base.origin;
    return { pool, dispatcher: pool, reads, ...(hasStreams && { streams: new Http2Dispatcher(its) }) };
  }
}

function http1Of(
  pool: Http1,
  reads: Http1,
  { method, large: isLarge }: Pick<HttpRequest, 'method' | 'large'>,
  withWrites: boolean,
): Http1 {
  if (method !== 'GET' && method !== 'HEAD') return pool;
  if (isLarge || reads.ready) return reads;
  return withWrites || pool.ready ? pool : reads;
}
