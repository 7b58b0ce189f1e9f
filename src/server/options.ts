import type { Registry } from '../registry/registry.ts';
import type { RequestContext } from '../registry/request-context.ts';
import type { Authorize } from './auth/access.ts';
import type { TokenIssuer } from './auth/token-issuer.ts';
import type { AccessEntry } from './http/access-entry.ts';
import type { BlobDownload } from './http/blob-download.ts';

/** Certificate and key of a server, in PEM. */
export interface ServedTls {
  /** The certificate, followed by the intermediates up to its authority. */
  readonly cert: string;
  /** PEM, without a passphrase. */
  readonly key: string;
  /** Authorities of client certificates; only clients with one are accepted. If absent, clients need no certificate. */
  readonly clientCa?: readonly string[] | undefined;
}

export interface ServeOptions {
  /** What is served. */
  readonly registry: Registry;
  /**
   * Wraps the registry for one request, for what must know who did something, such as events or an audit log. Called
   * after the request was authorised, when it uses the registry. If absent, all requests share `registry`.
   */
  readonly perRequest?: ((registry: Registry, request: RequestContext) => Registry) | undefined;
  /** Certificate and key for HTTPS; plain HTTP if absent. */
  readonly tls?: ServedTls | undefined;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /**
   * Further accepted host names, besides `localhost`, loopback addresses and `host`. They matter on a loopback address
   * only, where any other `Host` gets 421; on other addresses every name is accepted.
   */
  readonly allowedHosts?: readonly string[];
  /**
   * Whether an address is a trusted proxy in front of the server. Its `X-Forwarded-For`, `-Proto` and `-Host` headers,
   * or `Forwarded`, then determine the client's address and the address it used. If absent, no proxy is trusted.
   */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  /** Port to listen on; 0 (default): a free one. */
  readonly port?: number;
  /** Stops the server, like `stop()`. */
  readonly signal?: AbortSignal | undefined;
  /** Called for every request when its response is complete. Must not throw. */
  readonly log?: (entry: AccessEntry) => void;
  /** Counts requests, for metrics. Its methods must not throw. */
  readonly observe?: RequestObserver | undefined;
  /** False: every DELETE of a blob, manifest or tag gets 405. Default true: the registry decides. */
  readonly deletes?: boolean;
  /** False: every push and every DELETE gets 405. Default true: the registry decides. */
  readonly writes?: boolean;
  /** Names on one page of the catalog, and the most that a client gets; default 10,000. */
  readonly maxCatalogPage?: number;
  /** Fields of every answer. Those of the connection, the body, the protocol and of the protection of browsers are refused. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Origins of web pages that may use the registry: `https://ui.example.com`. With `*`, pages of every origin may read, but
   * not with the logins that a browser keeps. If absent, pages of other origins can neither read answers nor change
   * anything.
   */
  readonly corsOrigins?: readonly string[];
  /** Larger manifests get 413. In bytes; default 4 MiB. */
  readonly maxManifestBytes?: number;
  /** Time without a byte after which a client that the server waits for is cut; default 60 seconds. */
  readonly idleTimeoutMs?: number;
  /** How long a request waits for another one on the same upload session; default 30 seconds. */
  readonly sessionWaitMs?: number;
  /** Idle time after which an upload session is cancelled, including those of an earlier run; default 24 hours. */
  readonly sessionIdleMs?: number;
  /**
   * Maximum number of open upload sessions; default 10,000. At the limit, one that was idle for a minute is cancelled;
   * if there is none, the response is 429.
   */
  readonly maxSessions?: number;
  /**
   * Maximum number of connections; default 1024. Beyond it, the longest idle one of the address with most connections
   * is closed.
   */
  readonly maxConnections?: number;
  /** Maximum time for the header of a request; default 20 seconds. */
  readonly headersTimeoutMs?: number;
  /**
   * Minimum rate of bodies in bytes per second, over a minute or `rateWindowMs`. A slower client is cut. Default 256,
   * which an old modem reaches. 0: no minimum.
   */
  readonly minBytesPerSecond?: number;
  /** Over how many milliseconds the rate of a client is measured. Default 60 000. */
  readonly rateWindowMs?: number;
  /**
   * Whether a client is sent to the store itself for a blob (307), where the registry has the capability `blobLocator`. HEAD
   * is answered here. If absent, or if there is no URL for the blob, its bytes are.
   */
  readonly redirects?: ((download: BlobDownload) => boolean) | undefined;
  /**
   * Called before every request for a route of the API, with the access it needs. If absent, everybody may do everything.
   */
  readonly authorize?: Authorize | undefined;
  /** Issues tokens at `/token`, where `authorize` may send clients to. */
  readonly issuer?: TokenIssuer | undefined;
}

/** A request that was answered, for metrics. */
export interface AnsweredRequest {
  /** The route's name, as in distribution: `manifest`, `blob_upload`. Undefined for an unknown route. */
  readonly handler: string | undefined;
  /** As the client sent it: any word. */
  readonly method: string;
  /** 499 if the client disconnected before the response. */
  readonly status: number;
  /** Milliseconds from the request to the end of the answer. */
  readonly durationMs: number;
  /** Of the request's body. */
  readonly receivedBytes: number;
  /** Of the answer's body. */
  readonly sentBytes: number;
}

/** Counts requests. */
export interface RequestObserver {
  /** A request for this route begins. Not called for unknown routes, and those that were refused before. */
  began(handler: string): void;
  /** A request was answered. `handler` is that of its beginning. */
  answered(request: AnsweredRequest): void;
}

export interface RunningServer {
  /** http://host:port, or https with TLS. If the server listens on all addresses, this is a loopback address. */
  readonly url: string;
  /** The address it is bound to: `0.0.0.0:5000`, `[::1]:5000`. */
  readonly address: string;
  /** Whether only this machine can reach it. */
  readonly loopback: boolean;
  /** The address that it listens on. */
  readonly host: string;
  /** The port that it listens on, also where 0 was asked for. */
  readonly port: number;
  /**
   * Uses another certificate for new connections; open connections are kept. Whether clients need a certificate does
   * not change.
   *
   * @throws OciError USAGE for a server without TLS; Node's error for a certificate or key that it cannot use.
   */
  renewTls(tls: ServedTls): void;
  /**
   * Stops the server. Every answer closes its connection from now on. No new connections are accepted; running requests
   * may finish, and are cut after `graceMs`. Open upload sessions with bytes stay resumable, if the registry keeps
   * them. May be called again, with a shorter time.
   */
  stop(opts?: StopOptions): Promise<Stopped>;
}

export interface StopOptions {
  /** Time for everything; then connections are cut. Default 10 seconds. */
  readonly graceMs?: number | undefined;
  /**
   * For how long new connections are still accepted while `/readyz` answers 503, so that load balancers notice. Part of
   * `graceMs`. Left out if nobody has asked `/readyz` within the last minute. Default 0.
   */
  readonly unreadyMs?: number | undefined;
}

/** How a server stopped. */
export interface Stopped {
  /** The number of requests that were cut, because they took too long. */
  readonly cut: number;
}
