import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { checkNumbers } from '../model/number-options.ts';
import { storageCheck } from '../registry/extensions.ts';
import { cleanSessions } from './clean-sessions.ts';
import { accessEntryOf, statusOf } from './http/access-entry.ts';
import { acceptedNames, isLoopbackAddress } from './http/browsers.ts';
import { newServer } from './http/create-server.ts';
import { dispatch } from './http/dispatch.ts';
import type { Exchange, ServerState } from './http/exchange.ts';
import { formatHost, listen, urlOf } from './http/listen.ts';
import { SlowClientGuard } from './http/slow-clients.ts';
import { takeRequests } from './http/take-requests.ts';
import { corsPolicy } from './operating/cors.ts';
import { stopper } from './operating/drain.ts';
import { checkedHeaders } from './operating/own-headers.ts';
import { Readiness } from './operating/readiness.ts';
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
  observe: 'object',
  deletes: 'boolean',
  writes: 'boolean',
  maxCatalogPage: 'number',
  headers: 'object',
  corsOrigins: 'array',
  maxManifestBytes: 'number',
  idleTimeoutMs: 'number',
  sessionWaitMs: 'number',
  sessionIdleMs: 'number',
  maxSessions: 'number',
  maxConnections: 'number',
  headersTimeoutMs: 'number',
  minBytesPerSecond: 'number',
  rateWindowMs: 'number',
  redirects: 'function',
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
    maxCatalogPage: 1,
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
  const { running, connections } = takeRequests(server, state, { idleTimeoutMs, maxConnections }, (exchange) =>
    slowClients.watch(exchange, () => attend(exchange, options)),
  );

  const address = await listen(server, host, port);
  const loopback = isLoopbackAddress(address.address);
  state.hostNames = acceptedNames(address.address, [host, ...(options.allowedHosts ?? [])]);
  const endCleaning = cleanSessions(registry, state.sessions, sessionIdleMs);
  server.once('close', () => {
    slowClients.stop();
    endCleaning();
  });
  const stop = stopper({ server, state, connections, running });
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
    maxCatalogPage: options.maxCatalogPage ?? 10_000,
    headers: checkedHeaders(options.headers ?? {}),
    cors: corsPolicy(options.corsOrigins ?? []),
    maxManifestBytes: options.maxManifestBytes ?? 4 * 1024 * 1024,
    redirects: options.redirects,
    issuer,
    isProxy: options.isProxy,
    hostNames: undefined,
    readiness: new Readiness(registry.extension(storageCheck)?.check),
    stopping: false,
    endsLogins: false,
    closesIdle: false,
  };
}

async function attend(exchange: Exchange, { log, observe, authorize }: ServeOptions): Promise<void> {
  const startedMs = performance.now();
  await dispatch(exchange, authorize, observe);
  const durationMs = performance.now() - startedMs;
  if (observe !== undefined) {
    const { handler, method, receivedBytes, sentBytes } = exchange;
    observe.answered({ handler, method, status: statusOf(exchange), durationMs, receivedBytes, sentBytes });
  }
  log?.(accessEntryOf(exchange, durationMs));
}
