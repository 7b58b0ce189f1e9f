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
 * Makes an exchange of every request that comes to a server, and has it answered: those of one connection one after the
 * other. A connection that closes abandons its exchanges; one that is idle for too long is cut, unless the registry works.
 * Past `maxConnections` it is the one that is silent longest.
 *
 * @returns The exchanges that are not answered yet.
 */
export function takeRequests(
  server: Server | TlsServer,
  state: ServerState,
  { idleTimeoutMs, maxConnections }: ConnectionLimits,
  answer: (exchange: Exchange) => Promise<void>,
): ReadonlyMap<Exchange, Promise<void>> {
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
      if (state.stopping) server.closeIdleConnections();
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
    // While the registry works, a silent connection is no fault of the client's.
    if (working) socket.setTimeout(socket.timeout ?? 0);
    else socket.destroy();
  });
  return running;
}
