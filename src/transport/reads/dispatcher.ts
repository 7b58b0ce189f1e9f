import type { Socket } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import type { Goal } from '../dial.ts';
import { coded, errorCode } from '../error-code.ts';
import type { Http1, Http1Place } from '../http2/http1.ts';
import { type ConnectionLimits, ReadConnection } from './connection.ts';

interface ReadOptions {
  readonly url: URL;
  readonly limits: ConnectionLimits;
  readonly connect: buildConnector.connector;
  /** For requests that are not simple, and for those whose responses are not. */
  readonly fallback: Pick<Dispatcher, 'dispatch'>;
}

/** Fields that are written here, or that would change the framing. */
const ownFields = /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect)$/i;

/** A request that waits for a connection, or has one. */
interface Job {
  readonly text: string;
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

/**
 * Sends GETs and HEADs over connections that read into reusable memory. It handles what nearly all servers send. After
 * the first other response, the fallback serves this origin permanently.
 */
export class ReadDispatcher implements Http1 {
  readonly #options: ReadOptions;
  readonly #resting: ReadConnection[] = [];
  readonly #all = new Set<ReadConnection>();
  readonly #connecting = new Set<ReadConnection>();
  /** A request is sent over the connection that is ready first, be it new or free again. */
  #waiting: Job[] = [];
  #fit = true;
  #closed = false;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  /** Whether a request would be sent at once. */
  get ready(): boolean {
    return this.#fit && this.#resting.some(({ open }) => open);
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { url, fallback } = this.#options;
    const text = this.#fit ? requestText(options, url) : undefined;
    if (text === undefined) return fallback.dispatch(options, handler);
    const job = { text, options, handler };
    const rested = this.#rested();
    if (rested) this.#send(job, rested);
    else this.#wait(job);
    return true;
  }

  /** Opens connections, so that this many requests can be sent at once. Their failures are left to later requests. */
  open(count: number): void {
    if (!this.#fit) return;
    const there = this.#resting.filter(({ open }) => open).length + this.#connecting.size - this.#waiting.length;
    for (let more = count - there; more > 0; more -= 1) this.#connect(true);
  }

  /** A connection that somebody else may make for it. */
  reserve(): Http1Place {
    const connection = this.#newConnection();
    return {
      onread: connection.onread,
      take: (socket) => this.#attach(connection, socket),
      drop: () => connection.abandon(),
    };
  }

  close(): void {
    this.#closed = true;
    this.#giveUp((job) => job.handler.onResponseError?.(undefined as never, coded('UND_ERR_DESTROYED')));
    for (const connection of this.#all) connection.destroy();
  }

  #wait(job: Job): void {
    this.#waiting.push(job);
    if (this.#connecting.size < this.#waiting.length) this.#connect();
  }

  #send({ text, options, handler }: Job, connection: ReadConnection): void {
    const { fallback, limits } = this.#options;
    connection.send({
      text,
      hasBody: options.method !== 'HEAD',
      headersTimeoutMs: options.headersTimeout ?? limits.headersTimeoutMs,
      handler,
      onUnusual: () => {
        this.#giveUp((job) => fallback.dispatch(job.options, job.handler));
        fallback.dispatch(options, handler);
      },
      onStale: () => {
        if (this.#fit) this.#wait({ text, options, handler });
        else fallback.dispatch(options, handler);
      },
      onReusable: (restMs) => this.#free(connection, restMs),
    });
  }

  #giveUp(leave: (job: Job) => void): void {
    this.#fit = false;
    const left = this.#waiting;
    this.#waiting = [];
    for (const job of left) leave(job);
  }

  #free(connection: ReadConnection, restMs: number): void {
    const next = this.#waiting.shift();
    if (next) this.#send(next, connection);
    else {
      connection.rest(restMs);
      this.#resting.push(connection);
    }
  }

  #unconnected(error: Error, ahead: boolean): void {
    // Another connection is being made for each request, or has taken it over.
    if (this.#waiting.length <= this.#connecting.size) return;
    // A silent host would be waited for twice.
    if (ahead && errorCode(error) !== 'UND_ERR_CONNECT_TIMEOUT') this.#connect();
    else this.#waiting.shift()?.handler.onResponseError?.(undefined as never, error);
  }

  #rested(): ReadConnection | undefined {
    for (let rested = this.#resting.pop(); rested; rested = this.#resting.pop()) {
      if (rested.open) return rested;
    }
    return undefined;
  }

  /** @param ahead Whether no request needs it yet. */
  #connect(ahead = false): void {
    const { url, connect } = this.#options;
    const connection = this.#newConnection();
    this.#connecting.add(connection);
    const { host, protocol, port } = url;
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const goal: Goal = { host, hostname, protocol, port, onread: connection.onread };
    connect(goal as buildConnector.Options, (error: Error | null, socket: Socket | null) => {
      this.#connecting.delete(connection);
      if (!socket || this.#closed) {
        connection.destroy();
        socket?.destroy();
        this.#unconnected(error ?? coded('UND_ERR_DESTROYED'), ahead);
        return;
      }
      this.#attach(connection, socket);
    });
  }

  #newConnection(): ReadConnection {
    const connection: ReadConnection = new ReadConnection(this.#options.limits, () => this.#all.delete(connection));
    this.#all.add(connection);
    return connection;
  }

  #attach(connection: ReadConnection, socket: Socket): void {
    connection.attach(socket);
    this.#free(connection, this.#options.limits.keepAliveMs);
  }
}

/** @returns Undefined if it is not a simple GET or HEAD. */
function requestText(options: Dispatcher.DispatchOptions, url: URL): string | undefined {
  const { method, path, headers, body } = options;
  if ((method !== 'GET' && method !== 'HEAD') || body || !/^\/[\x21-\x7e]*$/.test(path)) return undefined;
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${url.host}`, 'connection: keep-alive'];
  for (const [name, value] of Object.entries((headers ?? {}) as Record<string, unknown>)) {
    const plain = typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value) && /^[A-Za-z0-9-]+$/.test(name);
    if (!plain || ownFields.test(name)) return undefined;
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
