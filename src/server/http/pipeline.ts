import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

/** Maximum number of waiting requests on one connection. Registry clients do not pipeline. */
const maxWaiting = 128;

interface Queue {
  /** Resolves when the last request in the queue is answered. */
  last: Promise<void>;
  length: number;
}

/**
 * Answers the requests of a connection one after the other. Node delivers pipelined requests at once: a few kilobytes of
 * them, from a client that reads no responses, could open as many files and fill as many buffers (memory exhaustion).
 */
export class PipelineQueue {
  readonly #queues = new WeakMap<Socket, Queue>();

  /**
   * Calls `run` when all earlier requests on this connection are answered. If the connection has closed by then, the
   * exchange is abandoned. Undefined if too many are waiting: the connection is cut.
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
  // A waiting request does no work, so a client that reads no responses counts as idle, however much it requests.
  exchange.awaitsClient = true;
  await earlier;
  exchange.awaitsClient = false;
  if (!exchange.request.socket.writable) exchange.abandon();
  await run();
}
