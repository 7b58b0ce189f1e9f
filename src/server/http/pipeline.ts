import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

/** Requests that may wait on one connection. No client of registries sends the next before it has the answer. */
const maxWaiting = 128;

interface Queue {
  /** Resolves when the last request in the queue is answered. */
  last: Promise<void>;
  length: number;
}

/**
 * Answers the requests of one connection one after the other. Node hands out pipelined requests at once: a few kilobytes
 * of them, with no answer taken, would have as many files open and buffers full (exhaustion of memory).
 */
export class PipelineQueue {
  readonly #queues = new WeakMap<Socket, Queue>();

  /**
   * Calls `run` when all earlier requests on this connection are answered; the exchange is abandoned where the connection
   * has closed by then. Returns undefined where too many wait already: the connection is cut.
   */
  enqueue(exchange: Exchange, run: () => Promise<void>): Promise<void> | undefined {
    const { socket } = exchange.request;
    const queue = this.#queues.get(socket) ?? { last: Promise.resolve(), length: 0 };
    this.#queues.set(socket, queue);
    if (queue.length > maxWaiting) socket.destroy();
    if (socket.destroyed) return undefined;
    queue.length += 1;
    queue.last = runAfter(queue.last, exchange, run).finally(() => {
      queue.length -= 1;
    });
    return queue.last;
  }
}

async function runAfter(earlier: Promise<void>, exchange: Exchange, run: () => Promise<void>): Promise<void> {
  // A request in the queue does no work: a client that takes no answers counts as idle however much it asked for.
  exchange.awaitsClient = true;
  await earlier;
  exchange.awaitsClient = false;
  if (!exchange.request.socket.writable) exchange.abandon();
  await run();
}
