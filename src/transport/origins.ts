import { isIP, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Dispatcher } from 'undici';
import type { TlsSettings } from '../certs/tls-settings.ts';
import type { ProxySettings } from '../config/docker/service-keys.ts';
import { OciError } from '../model/errors.ts';
import { BulkDispatcher } from './bulk.ts';
import { createConnector, isForwarded } from './connector.ts';
import { failureKind } from './failures.ts';
import { NetworkGuard } from './guard/network-guard.ts';
import type { HttpRequest } from './http.ts';
import { LatePool } from './late-pool.ts';
import { decideProxy } from './proxy/proxy.ts';
import { forwarding } from './proxy/tunnel.ts';
import { clientCertificateError } from './tls-failures.ts';

export const defaultHeadersTimeoutMs = 60_000;

export interface TransportLimits {
  /** Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** To the headers of an answer. Default 60 000. */
  readonly headersTimeoutMs?: number;
  /** Between two pieces of a body. Default 60 000. */
  readonly idleTimeoutMs?: number;
  /** After which people are told that a server is silent. Default 10 000. */
  readonly silenceMs?: number;
  /** Default 15 000. */
  readonly keepAliveMs?: number;
  /** Headers of an answer, in bytes. Default 64 KiB: Google Artifact Registry sends 21 KB. */
  readonly headerBytes?: number;
}

export interface OriginsOptions {
  readonly tls?: TlsSettings | undefined;
  readonly limits?: TransportLimits | undefined;
  /** Where the base's host is connected to, in place of what its name resolves to. */
  readonly addresses?: readonly string[] | undefined;
  readonly proxy?: ProxySettings | undefined;
  /**
   * Where a registry outside may lead us although it is in a private network: `host`, `host:port`, or a network in CIDR
   * notation. Default: nowhere.
   */
  readonly allowPrivate?: readonly string[] | undefined;
}

interface Origin {
  readonly pool: LatePool;
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>;
  readonly bulk?: BulkDispatcher;
}

/** The connections of a transport: one pool for each origin, and one more for the base's visits as a stranger. */
export class Origins {
  /** Origins that have answered: a refused connection there is a hiccup, not a wrong address. */
  readonly answered = new Set<string>();
  /** Those that gave another answer than "later". */
  readonly well = new Set<string>();
  /** Those of whose outage people have been told. */
  readonly outages = new Set<string>();
  /** Those that asked for a client certificate, and whether they were shown one. */
  readonly #identified = new Map<string, boolean>();
  readonly #origins = new Map<string, Origin>();
  readonly #pending = new Set<Socket>();
  readonly #base: URL;
  readonly #options: OriginsOptions;
  readonly #guard: NetworkGuard;
  #closed = false;

  constructor(base: URL, options: OriginsOptions = {}) {
    this.#base = base;
    this.#options = options;
    this.#guard = new NetworkGuard({ base, ...options });
  }

  /** Where certificates for a host would be kept; undefined where that is not known. */
  certsDir(url: URL): string | undefined {
    const directory = this.#options.tls?.directory;
    if (directory === undefined || url.origin === this.#base.origin) return directory;
    return join(dirname(directory), url.host);
  }

  /**
   * What a failure means: a server that asked for a client certificate and then cut the connection did not get the right one.
   * Node's own servers say no more.
   */
  explained(error: OciError, url: URL): OciError {
    const shown = this.#identified.get(url.origin);
    if (shown === undefined || this.answered.has(url.origin) || failureKind(error) !== 'reset') return error;
    return clientCertificateError(url, { shown, certsDir: this.certsDir(url), cause: error.cause });
  }

  /** The proxy that a URL is asked through, as host:port. @throws OciError as {@link dispatcher} */
  proxy(url: URL): string | undefined {
    const decision = decideProxy(url, this.#options.proxy ?? {});
    return decision.kind === 'proxy' ? decision.proxy.url.host : undefined;
  }

  /**
   * @param request.bulk As HttpRequest has it.
   * @throws OciError CONFIG_INVALID for a proxy that is no address.
   */
  dispatcher(
    url: URL,
    anonymous: boolean,
    { method, bulk }: Pick<HttpRequest, 'method' | 'bulk'>,
  ): Pick<Dispatcher, 'dispatch'> {
    if (this.#closed) throw new OciError('NETWORK', `${url.host}: the transport is closed`, { retryable: false });
    // The certificate authenticates us: it is for the base alone.
    const ownCertificate = !anonymous && url.origin === this.#base.origin;
    const name = `${ownCertificate ? 'own' : 'other'} ${url.origin}`;
    const known = this.#origins.get(name) ?? this.#open(url, ownCertificate);
    this.#origins.set(name, known);
    // Once there are connections of the pool, a HEAD shares them.
    const simple = bulk && (method !== 'HEAD' || !known.pool.used);
    return (simple && known.bulk) || known.dispatcher;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const origins = [...this.#origins.values()];
    this.#origins.clear();
    for (const { bulk } of origins) bulk?.close();
    await Promise.all(origins.map(({ pool }) => pool.destroy()));
    // undici leaves them to their timeouts, for which the process would wait.
    for (const socket of this.#pending) socket.destroy();
  }

  #open(url: URL, own: boolean): Origin {
    const { tls = {}, limits = {}, proxy: proxies = {} } = this.#options;
    const { connectTimeoutMs = 10_000, headersTimeoutMs = defaultHeadersTimeoutMs, idleTimeoutMs = 60_000 } = limits;
    const { keepAliveMs = 15_000, headerBytes = 64 * 1024 } = limits;
    // Verification is given up for a host, whatever its port; so is its freedom to be at any address.
    const isBase = url.hostname === this.#base.hostname;
    const isName = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
    const addresses = isBase && isName ? this.#options.addresses : undefined;
    const decision = decideProxy(url, proxies);
    const proxy = decision.kind === 'proxy' ? decision.proxy : undefined;
    const forwarded = isForwarded({ url, proxy, addresses }) ? proxy : undefined;
    const connect = createConnector({
      url,
      tls,
      own,
      verify: !isBase || (tls.verify ?? true),
      timeoutMs: connectTimeoutMs,
      addresses,
      guard: this.#guard,
      proxy,
      pending: this.#pending,
      onCertificateRequest: () => this.#identified.set(url.origin, own && tls.cert !== undefined),
    });
    const pool = new LatePool(forwarded?.url.origin ?? url.origin, {
      // Blobs over HTTP/2 stall behind each other in one connection (undici#4705).
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
    const bulkLimits = { headersTimeoutMs, idleTimeoutMs, keepAliveMs, headerBytes };
    return { pool, dispatcher: pool, bulk: new BulkDispatcher({ url, limits: bulkLimits, connect, fallback: pool }) };
  }
}
