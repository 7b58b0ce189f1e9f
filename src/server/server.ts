import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { OciError } from '../model/errors.ts';
import type { Registry } from '../registry/registry.ts';
import { printable } from '../wire/errors.ts';
import { hostNameOf, isLoopbackAddress } from './browsers.ts';
import { type Authorize, dispatch } from './dispatch.ts';
import { Exchange, type Site } from './exchange.ts';
import { UploadSessions } from './sessions.ts';
import { Turns } from './turns.ts';

const maxHeaderBytes = 32 * 1024;
const headersTimeoutMs = 20_000;
const keepAliveMs = 60_000;
const maxConnections = 1024;

export interface ServeOptions {
  readonly registry: Registry;
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
  /** Larger manifests are refused with 413; default 4 MiB. */
  readonly maxManifestBytes?: number;
  /** How long a client may neither send nor take a byte when it is its turn; default 60 seconds. */
  readonly idleTimeoutMs?: number;
  /** How long a request waits for another one on the same upload session; default 30 seconds. */
  readonly sessionWaitMs?: number;
  /** Asked before every request for a route of the API. */
  readonly authorize?: Authorize;
}

/** One line of an access log. */
export interface AccessEntry {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** 499 where the client went away before there was an answer. */
  readonly status: number;
  readonly remoteAddress: string;
  /** Bytes of the bodies. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  /** What went wrong, in full; the client may have been told less. */
  readonly error?: unknown;
}

export interface RunningServer {
  /** http://host:port; a loopback address where the server listens on all of them. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /**
   * Stops: no new connections, requests in flight may end, and are cut after `graceMs` (default 10 seconds). Open
   * upload sessions stay resumable. May be called again, with a shorter time.
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
  const site: Site = {
    registry,
    sessions: new UploadSessions(registry, { waitMs: options.sessionWaitMs ?? 30_000 }),
    deletes: options.deletes ?? true,
    maxManifestBytes: options.maxManifestBytes ?? 4 * 1024 * 1024,
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
    connectionsCheckingInterval: 5000,
    noDelay: true,
  });
  server.maxConnections = maxConnections;
  const turns = new Turns();
  const handle = (request: IncomingMessage, response: ServerResponse, continueExpected: boolean): void => {
    const exchange = new Exchange(site, request, response, continueExpected);
    const run = turns.take(exchange, () => attend(exchange, options));
    if (run === undefined) return;
    const done = run.finally(() => {
      running.delete(exchange);
      if (site.stopping) server.closeIdleConnections();
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

  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  if (isLoopbackAddress(address.address)) {
    const names = [host, ...(options.allowedHosts ?? [])].map(hostNameOf);
    site.hostNames = new Set(names.filter((name) => name !== undefined));
  }
  const stop = stopper(server, site, running);
  if (signal) {
    const abort = (): void => void stop();
    signal.addEventListener('abort', abort, { once: true });
    server.once('close', () => signal.removeEventListener('abort', abort));
  }
  return { url: urlOf(host, address.port), host, port: address.port, stop };
}

async function attend(exchange: Exchange, { log, authorize }: ServeOptions): Promise<void> {
  const { request, response } = exchange;
  const startedMs = performance.now();
  const remoteAddress = request.socket.remoteAddress ?? '';
  await dispatch(exchange, authorize);
  log?.({
    method: exchange.method,
    path: printable(exchange.path),
    status: response.headersSent ? response.statusCode : 499,
    remoteAddress,
    receivedBytes: exchange.receivedBytes,
    sentBytes: exchange.sentBytes,
    durationMs: performance.now() - startedMs,
    ...(exchange.failure !== undefined && { error: exchange.failure }),
  });
}

function stopper(server: Server, site: Site, running: ReadonlyMap<Exchange, Promise<void>>): RunningServer['stop'] {
  let closed: Promise<void> | undefined;
  return async ({ graceMs = 10_000 } = {}) => {
    site.stopping = true;
    closed ??= new Promise((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cut);
    await Promise.all(running.values());
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === 'EADDRINUSE' ? 'another program listens there' : `${cause.code ?? 'the system refused it'}`;
      reject(new OciError('USAGE', `cannot listen on ${host} port ${port}: ${reason}`, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      // Out of file descriptors, accepting fails: that connection is lost, the server goes on.
      server.on('error', () => {});
      resolve();
    });
  });
}

function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
