import type { Registry } from '../registry/registry.ts';
import type { RequestContext } from '../registry/request-context.ts';
import type { Authorize } from './auth/access.ts';
import type { TokenIssuer } from './auth/token-issuer.ts';
import type { AccessEntry } from './http/access-entry.ts';

/** What a server proves itself with, in PEM. */
export interface ServedTls {
  /** The certificate, and those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of clients: nobody else is let in. Absent: clients need no certificate. */
  readonly clientCa?: readonly string[] | undefined;
}

export interface ServeOptions {
  readonly registry: Registry;
  /**
   * Wraps the registry for one request, for what must know who did something: events, an audit. Called when the request is
   * authorised and comes to the registry. Where absent, all requests share `registry`.
   */
  readonly perRequest?: ((registry: Registry, request: RequestContext) => Registry) | undefined;
  /** Speaks https with this; plain http where absent. */
  readonly tls?: ServedTls | undefined;
  /** Where to listen; default 127.0.0.1. */
  readonly host?: string;
  /**
   * Names it is reached by besides `localhost`, loopback addresses and `host`. Listening on a loopback address, it answers
   * 421 to any other `Host`; elsewhere every name will do.
   */
  readonly allowedHosts?: readonly string[];
  /**
   * Whether an address is that of a proxy in front of the server: what it says in `X-Forwarded-For`, `-Proto` and `-Host`,
   * or in `Forwarded`, counts as the client's address, and as what it reached the server by. Absent: none is.
   */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  /** 0, the default: a free one. */
  readonly port?: number;
  /** Stops the server, as `stop()` does. */
  readonly signal?: AbortSignal | undefined;
  /** Told about every request when its answer is complete. Must not throw. */
  readonly log?: (entry: AccessEntry) => void;
  /** False: every DELETE of a blob, manifest or tag is answered with 405. Default true: the registry decides. */
  readonly deletes?: boolean;
  /** False: every push is answered with 405, as every DELETE is. Default true: the registry decides. */
  readonly writes?: boolean;
  /** Larger manifests are refused with 413; default 4 MiB. */
  readonly maxManifestBytes?: number;
  /** How long a client that the server waits for may neither send nor take a byte; default 60 seconds. */
  readonly idleTimeoutMs?: number;
  /** How long a request waits for another one on the same upload session; default 30 seconds. */
  readonly sessionWaitMs?: number;
  /** Upload sessions that nobody used for so long are given up, those of an earlier run too; default 24 hours. */
  readonly sessionIdleMs?: number;
  /** Upload sessions open at once; default 10,000. At the limit one that rests for a minute gives way, or it is 429. */
  readonly maxSessions?: number;
  /** Connections at once; default 1024. Past it, the one that is silent longest closes, of the address that has most. */
  readonly maxConnections?: number;
  /** How long the header of a request may take; default 20 seconds. */
  readonly headersTimeoutMs?: number;
  /**
   * A client that sends or takes a body slower than this, over a minute or `rateWindowMs`, is cut; default 256, which an
   * old modem reaches. 0: any rate will do.
   */
  readonly minBytesPerSecond?: number;
  readonly rateWindowMs?: number;
  /** Asked before every request for a route of the API, and told what it needs. Everybody may do everything without. */
  readonly authorize?: Authorize | undefined;
  /** Gives out tokens at `/token`, which `authorize` may send clients to. */
  readonly issuer?: TokenIssuer | undefined;
}

export interface RunningServer {
  /** http://host:port, or https with TLS; a loopback address where the server listens on all of them. */
  readonly url: string;
  /** What it is bound to: `0.0.0.0:5000`, `[::1]:5000`. */
  readonly address: string;
  /** Whether this machine alone reaches it. */
  readonly loopback: boolean;
  readonly host: string;
  readonly port: number;
  /**
   * Proves itself with another certificate to those who connect from now on; open connections stay. Whether clients need
   * one does not change.
   *
   * @throws OciError USAGE for a server without TLS; what Node says of a certificate or key that it cannot use.
   */
  renewTls(tls: ServedTls): void;
  /**
   * Stops: no new connections, requests in flight may end, and are cut after `graceMs` (default 10 seconds). Open
   * upload sessions that have bytes stay resumable, where the registry keeps them. May be called again, with a shorter time.
   */
  stop(opts?: { readonly graceMs?: number }): Promise<void>;
}
