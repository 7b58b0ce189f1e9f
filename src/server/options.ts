import type { Registry } from '../registry/registry.ts';
import type { RequestContext } from '../registry/request-context.ts';
import type { Authorize } from './auth/access.ts';
import type { TokenIssuer } from './auth/token-issuer.ts';
import type { AccessEntry } from './http/access-entry.ts';

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
  /** False: every DELETE of a blob, manifest or tag gets 405. Default true: the registry decides. */
  readonly deletes?: boolean;
  /** False: every push and every DELETE gets 405. Default true: the registry decides. */
  readonly writes?: boolean;
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
   * Called before every request for a route of the API, with the access it needs. If absent, everybody may do everything.
   */
  readonly authorize?: Authorize | undefined;
  /** Issues tokens at `/token`, where `authorize` may send clients to. */
  readonly issuer?: TokenIssuer | undefined;
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
   * Stops the server. No new connections are accepted; running requests may finish, and are cut after `graceMs`
   * (default 10 seconds). Open upload sessions with bytes stay resumable, if the registry keeps them. May be called
   * again, with a shorter time.
   */
  stop(opts?: { readonly graceMs?: number }): Promise<void>;
}
