import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

/** Requests that may wait on one connection. No client of registries sends the next before it has the answer. */
const maxWaiting = 128;

interface Line {
  last: Promise<void>;
  count: number;
}

/**
 * Exchanges of one connection, one after the other. Node hands out pipelined requests at once: a few kilobytes of them,
 * with no answer taken, would have as many files open and buffers full (exhaustion of memory).
 */
export class Turns {
  readonly #lines = new WeakMap<Socket, Line>();

  /**
   * Runs when all that was asked before on this connection is answered; the exchange is abandoned where the connection
   * is then closed. Undefined where too many wait already: the connection is cut.
   */
  take(exchange: Exchange, run: () => Promise<void>): Promise<void> | undefined {
    const { socket } = exchange.request;
    const line = this.#lines.get(socket) ?? { last: Promise.resolve(), count: 0 };
    this.#lines.set(socket, line);
    if (line.count > maxWaiting) socket.destroy();
    if (socket.destroyed) return undefined;
    line.count += 1;
    line.last = inTurn(exchange, line.last, run).finally(() => {
      line.count -= 1;
    });
    return line.last;
  }
}

async function inTurn(exchange: Exchange, before: Promise<void>, run: () => Promise<void>): Promise<void> {
  // Who waits in line does not work: a client that takes nothing is idle however much it asked for.
  exchange.awaitsClient = true;
  await before;
  exchange.awaitsClient = false;
  if (!exchange.request.socket.writable) exchange.abandon();
  await run();
}
