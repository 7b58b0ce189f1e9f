import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Exchange, type ServerState } from './exchange.ts';
import { PipelineQueue } from './pipeline.ts';

/**
 * Makes an exchange of every request that comes to a server, and has it answered: those of one connection one after the
 * other. A connection that closes abandons its exchanges; one that is idle for too long is cut, unless the registry works.
 *
 * @returns The exchanges that are not answered yet.
 */
export function takeRequests(
  server: Server,
  state: ServerState,
  idleTimeoutMs: number,
  answer: (exchange: Exchange) => Promise<void>,
): ReadonlyMap<Exchange, Promise<void>> {
  const running = new Map<Exchange, Promise<void>>();
  const pipelines = new PipelineQueue();
  const take = (request: IncomingMessage, response: ServerResponse, continueExpected: boolean): void => {
    const exchange = new Exchange(state, request, response, continueExpected);
    const run = pipelines.enqueue(exchange, () => answer(exchange));
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
