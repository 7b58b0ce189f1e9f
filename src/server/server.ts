import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { checkNumbers } from '../model/number-options.ts';
import { cleanSessions } from './clean-sessions.ts';
import { accessEntryOf } from './http/access-entry.ts';
import { hostNameOf, isLoopbackAddress } from './http/browsers.ts';
import { newServer } from './http/create-server.ts';
import { dispatch } from './http/dispatch.ts';
import type { Exchange, ServerState } from './http/exchange.ts';
import { formatHost, listen, urlOf } from './http/listen.ts';
import { SlowClientGuard } from './http/slow-clients.ts';
import { takeRequests } from './http/take-requests.ts';
import type { RunningServer, ServeOptions } from './options.ts';
import { UploadSessions } from './sessions.ts';

const maxHeaderBytes = 32 * 1024;
const keepAliveMs = 60_000;

const serveShape: Shape<ServeOptions> = {
  registry: 'object',
  perRequest: 'function',
  tls: 'object',
  host: 'string',
  allowedHosts: 'array',
  isProxy: 'function',
  port: 'number',
  signal: 'object',
  log: 'function',
  deletes: 'boolean',
  writes: 'boolean',
  maxManifestBytes: 'number',
  idleTimeoutMs: 'number',
  sessionWaitMs: 'number',
  sessionIdleMs: 'number',
  maxSessions: 'number',
  maxConnections: 'number',
  headersTimeoutMs: 'number',
  minBytesPerSecond: 'number',
  rateWindowMs: 'number',
  authorize: 'function',
  issuer: 'object',
};

/**
 * Serves a registry over HTTP, with or without TLS.
 *
 * @throws OciError USAGE if it cannot listen there.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  checkOptions('serve', options, serveShape, ['registry']);
  const { registry, host = '127.0.0.1', port = 0, signal } = options;
  checkNumbers(options, {
    port: 0,
    maxManifestBytes: 1,
    idleTimeoutMs: 0,
    sessionWaitMs: 0,
    sessionIdleMs: 0,
    maxSessions: 1,
    maxConnections: 1,
    headersTimeoutMs: 0,
    minBytesPerSecond: 0,
    rateWindowMs: 1,
  });
  signal?.throwIfAborted();
  const { sessionIdleMs = 24 * 60 * 60_000, headersTimeoutMs = 20_000 } = options;
  const state = newState(options, sessionIdleMs);
  // Uploads may take hours: they are limited by the idle time instead of `requestTimeout`.
  const { server, renewTls } = await newServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(5000, headersTimeoutMs),
      noDelay: true,
    },
    options.tls,
  );
  const slowClients = new SlowClientGuard({
    minBytesPerSecond: options.minBytesPerSecond ?? 256,
    windowMs: options.rateWindowMs ?? 60_000,
  });
  const { idleTimeoutMs = 60_000, maxConnections = 1024 } = options;
  const running = takeRequests(server, state, { idleTimeoutMs, maxConnections }, (exchange) =>
    slowClients.watch(exchange, () => attend(exchange, options)),
  );

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
  const url = urlOf(options.tls === undefined ? 'http' : 'https', host, address.port);
  return { url, address: bound, loopback, host, port: address.port, renewTls, stop };
}

function newState(options: ServeOptions, sessionIdleMs: number): ServerState {
  const { registry, perRequest, issuer } = options;
  return {
    registry,
    perRequest,
    sessions: new UploadSessions(registry, {
      waitMs: options.sessionWaitMs ?? 30_000,
      idleMs: sessionIdleMs,
      maxOpen: options.maxSessions ?? 10_000,
      restMs: Math.min(60_000, sessionIdleMs),
    }),
    deletes: options.deletes ?? true,
    writes: options.writes ?? true,
    maxManifestBytes: options.maxManifestBytes ?? 4 * 1024 * 1024,
    issuer,
    isProxy: options.isProxy,
    hostNames: undefined,
    stopping: false,
  };
}

async function attend(exchange: Exchange, { log, authorize }: ServeOptions): Promise<void> {
  const startedMs = performance.now();
  await dispatch(exchange, authorize);
  log?.(accessEntryOf(exchange, startedMs));
}

function stopper(
  server: Server | TlsServer,
  state: ServerState,
  running: ReadonlyMap<Exchange, Promise<void>>,
): RunningServer['stop'] {
  let closed: Promise<void> | undefined;
  return async ({ graceMs = 10_000 } = {}) => {
    state.stopping = true;
    closed ??= new Promise((resolve) => server.close(() => resolve()));
    for (const exchange of running.keys()) exchange.endLogin();
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cut);
    await Promise.all(running.values());
  };
}
