import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Registry } from '../registry/registry.ts';
import type { RequestContext } from '../registry/request-context.ts';
import type { Authorize } from './auth/access.ts';
import type { TokenIssuer } from './auth/token-issuer.ts';
import { type AccessEntry, accessEntryOf } from './http/access-entry.ts';
import { hostNameOf, isLoopbackAddress } from './http/browsers.ts';
import { dispatch } from './http/dispatch.ts';
import { Exchange, type ServerState } from './http/exchange.ts';
import { formatHost, listen, urlOf } from './http/listen.ts';
import { PipelineQueue } from './http/pipeline.ts';
import { SlowClientGuard } from './http/slow-clients.ts';
import { cleanSessions, UploadSessions } from './sessions.ts';

const maxHeaderBytes = 32 * 1024;
const keepAliveMs = 60_000;
const maxConnections = 1024;

export interface ServeOptions {
  readonly registry: Registry;
  /**
   * Wraps the registry for one request, for what must know who did something: events, an audit. Called when the request is
   * authorised and comes to the registry. Where absent, all requests share `registry`.
   */
  readonly perRequest?: ((registry: Registry, request: RequestContext) => Registry) | undefined;
  /** Where to listen; default 127.0.0.1. */
  readonly host?: string;
  /**
   * Names it is reached by besides `localhost`, loopback addresses and `host`. Listening on a loopback address, it answers
   * 421 to any other `Host`; elsewhere every name will do.
   */
  readonly allowedHosts?: readonly string[];
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
  /** http://host:port; a loopback address where the server listens on all of them. */
  readonly url: string;
  /** What it is bound to: `0.0.0.0:5000`, `[::1]:5000`. */
  readonly address: string;
  /** Whether this machine alone reaches it. */
  readonly loopback: boolean;
  readonly host: string;
  readonly port: number;
  /**
   * Stops: no new connections, requests in flight may end, and are cut after `graceMs` (default 10 seconds). Open
   * upload sessions that have bytes stay resumable, where the registry keeps them. May be called again, with a shorter time.
   */
  stop(opts?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Serves a registry over HTTP.
 *
 * @throws OciError USAGE when it cannot listen there.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { registry, host = '127.0.0.1', port = 0, signal } = options;
  signal?.throwIfAborted();
  const { sessionIdleMs = 24 * 60 * 60_000, headersTimeoutMs = 20_000 } = options;
  const state: ServerState = {
    registry,
    perRequest: options.perRequest,
    sessions: new UploadSessions(registry, {
      waitMs: options.sessionWaitMs ?? 30_000,
      idleMs: sessionIdleMs,
      maxOpen: options.maxSessions ?? 10_000,
      restMs: Math.min(60_000, sessionIdleMs),
    }),
    deletes: options.deletes ?? true,
    writes: options.writes ?? true,
    maxManifestBytes: options.maxManifestBytes ?? 4 * 1024 * 1024,
    issuer: options.issuer,
    hostNames: undefined,
    stopping: false,
  };
  const running = new Map<Exchange, Promise<void>>();
  // Uploads may take hours: what bounds them is the idle time, not `requestTimeout`.
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(5000, headersTimeoutMs),
    noDelay: true,
  });
  server.maxConnections = maxConnections;
  const pipelines = new PipelineQueue();
  const slowClients = new SlowClientGuard({
    minBytesPerSecond: options.minBytesPerSecond ?? 256,
    windowMs: options.rateWindowMs ?? 60_000,
  });
  const handle = (request: IncomingMessage, response: ServerResponse, continueExpected: boolean): void => {
    const exchange = new Exchange(state, request, response, continueExpected);
    const run = pipelines.enqueue(exchange, () => slowClients.watch(exchange, () => attend(exchange, options)));
    if (run === undefined) return;
    const done = run.finally(() => {
      running.delete(exchange);
      if (state.stopping) server.closeIdleConnections();
    });
    running.set(exchange, done);
  };
  server.on('connection', (socket: Socket) => {
    socket.once('close', () => {
      for (const exchange of running.keys()) if (exchange.request.socket === socket) exchange.abandon();
    });
  });
  server.on('request', (request, response) => handle(request, response, false));
  server.on('checkContinue', (request, response) => handle(request, response, true));
  server.setTimeout(options.idleTimeoutMs ?? 60_000, (socket: Socket) => {
    const here = [...running.keys()].filter(({ request }) => request.socket === socket);
    const working = here.some(({ awaitsClient }) => !awaitsClient);
    // While the registry works, a silent connection is no fault of the client's.
    if (working) socket.setTimeout(socket.timeout ?? 0);
    else socket.destroy();
  });

  const address = await listen(server, host, port);
  const loopback = isLoopbackAddress(address.address);
  if (loopback) {
    const names = [host, ...(options.allowedHosts ?? [])].map(hostNameOf);
    state.hostNames = new Set(names.filter((name) => name !== undefined));
  }
  const endCleaning = cleanSessions(registry, state.sessions, sessionIdleMs);
  server.once('close', () => {
    slowClients.stop();
    endCleaning();
  });
  const stop = stopper(server, state, running);
  if (signal) {
    const abort = (): void => void stop();
    signal.addEventListener('abort', abort, { once: true });
    server.once('close', () => signal.removeEventListener('abort', abort));
  }
  const bound = `${formatHost(address.address)}:${address.port}`;
  return { url: urlOf(host, address.port), address: bound, loopback, host, port: address.port, stop };
}

async function attend(exchange: Exchange, { log, authorize }: ServeOptions): Promise<void> {
  const startedMs = performance.now();
  await dispatch(exchange, authorize);
  log?.(accessEntryOf(exchange, startedMs));
}

function stopper(
  server: Server,
  state: ServerState,
  running: ReadonlyMap<Exchange, Promise<void>>,
): RunningServer['stop'] {
  let closed: Promise<void> | undefined;
  return async ({ graceMs = 10_000 } = {}) => {
    state.stopping = true;
    closed ??= new Promise((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cut);
    await Promise.all(running.values());
  };
}
