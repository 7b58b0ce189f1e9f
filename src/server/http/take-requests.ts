import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { Connections } from './connections.ts';
import { Exchange, type ServerState } from './exchange.ts';
import { PipelineQueue } from './pipeline.ts';

interface ConnectionLimits {
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
}

/**
 * Makes an exchange of every request to a server and has it answered; requests on one connection run one after the
 * other. When a connection closes, its exchanges are abandoned. A connection that is idle for too long is cut, unless
 * the registry is working. Past `maxConnections`, the connection that has been idle longest is closed.
 *
 * @returns The exchanges that are not answered yet, and the connections.
 */
export function takeRequests(
  server: Server | TlsServer,
  state: ServerState,
  { idleTimeoutMs, maxConnections }: ConnectionLimits,
  answer: (exchange: Exchange) => Promise<void>,
): { readonly running: ReadonlyMap<Exchange, Promise<void>>; readonly connections: Connections } {
  const running = new Map<Exchange, Promise<void>>();
  const pipelines = new PipelineQueue();
  const connections = new Connections(maxConnections);
  const take = (request: IncomingMessage, response: ServerResponse, continueExpected: boolean): void => {
    const exchange = new Exchange(state, request, response, continueExpected);
    const run = pipelines.enqueue(exchange, () => answer(exchange));
    if (run === undefined) return;
    const answered = connections.began(request.socket);
    const done = run.finally(() => {
      answered();
      running.delete(exchange);
      if (state.closesIdle) server.closeIdleConnections();
    });
    running.set(exchange, done);
  };
  const abandonWith = (socket: Socket): void => {
    socket.once('close', () => {
      for (const exchange of running.keys()) if (exchange.request.socket === socket) exchange.abandon();
    });
  };
  server.on('connection', (socket: Socket) => connections.add(socket));
  server.on('connection', abandonWith);
  server.on('secureConnection', abandonWith);
  server.on('request', (request, response) => take(request, response, false));
  server.on('checkContinue', (request, response) => take(request, response, true));
  server.setTimeout(idleTimeoutMs, (socket: Socket) => {
    const here = [...running.keys()].filter(({ request }) => request.socket === socket);
    const working = here.some(({ awaitsClient }) => !awaitsClient);
    // While the registry works, the client is not to blame for a silent connection.
    if (working) socket.setTimeout(socket.timeout ?? 0);
    else socket.destroy();
  });
  return { running, connections };
}
