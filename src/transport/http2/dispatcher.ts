import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { buildConnector, Dispatcher } from 'undici';
import type { HostRecord } from '../../host-facts/host-facts.ts';
import type { Goal } from '../dial.ts';
import { coded, errorCode } from '../error-code.ts';
import type { ConnectionLimits } from '../reads/connection.ts';
import { Http2Connection } from './connection.ts';
import type { Outcome, StreamJob } from './exchange.ts';
import type { Http1 } from './http1.ts';
import { streamRequest } from './request.ts';

interface Http2Options {
  readonly url: URL;
  readonly limits: ConnectionLimits;
  readonly connect: buildConnector.connector;
  readonly facts?: HostRecord | undefined;
}

/** What a new connection takes, in round trips: TCP and TLS. */
const waitsOfNew = 2;

/** A request, and who sends it instead. */
interface Job extends StreamJob {
  readonly options: Dispatcher.DispatchOptions;
  readonly http1: Http1;
  /** Whether a server has refused it once. */
  readonly isAgain: boolean;
}

/**
 * Sends small requests as streams of one HTTP/2 connection, if the server chooses that; otherwise it passes them on to HTTP/1.1,
 * with the connection. So it does with everything that is unusual, and for good after the first failure.
 */
export class Http2Dispatcher {
  readonly #options: Http2Options;
  #connection: Http2Connection | undefined;
  #isConnecting = false;
  #waiting: Job[] = [];
  /** Bytes of bodies that were announced, and fit. */
  #announcedBytes = 0;
  #fit: boolean;
  #closed = false;
  /** Whether the connection, or one before it, has carried an answer. */
  #hasAnswered = false;

  constructor(options: Http2Options) {
    this.#options = options;
    this.#fit = options.facts?.known.http2 !== false;
  }

  /** Whether the server speaks HTTP/2 as far as is known. */
  get fit(): boolean {
    return this.#fit;
  }

  /** Whether a connection is there or is being made. */
  get isOpen(): boolean {
    return this.#isConnecting || (this.#connection?.open ?? false);
  }

  /** Opens a connection for requests that will follow. @param http1 Gets it if the server chooses HTTP/1.1. */
  open(http1: Http1): void {
    if (this.#fit && !this.isOpen) this.#connect(http1, true);
  }

  /** @param http1 Sends what HTTP/2 cannot. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, http1: Http1): boolean {
    const { url, limits } = this.#options;
    const request = this.#fit ? streamRequest(options, url) : undefined;
    if (!request) return http1.dispatch(options, handler);
    const headersTimeoutMs = options.headersTimeout ?? limits.headersTimeoutMs;
    this.#place({ request, headersTimeoutMs, handler, options, http1, isAgain: false });
    return true;
  }

  /** Whether a body that follows soon can be sent here without a wait, beside those announced before. */
  takesBody(bytes: number): boolean {
    if (!this.#connection?.open || this.#announcedBytes + bytes > this.#connection.roomBytes()) return false;
    this.#announcedBytes += bytes;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#fit = false;
    this.#leave((job) => job.handler.onResponseError?.(undefined as never, coded('UND_ERR_DESTROYED')));
    this.#connection?.destroy();
  }

  #place(job: Job): void {
    if (this.#connection?.open) this.#send(job, this.#connection);
    else {
      this.#waiting.push(job);
      if (!this.#isConnecting) this.#connect(job.http1, false);
    }
  }

  #send(job: Job, connection: Http2Connection): void {
    const { bodyBytes } = job.request;
    this.#announcedBytes = Math.max(0, this.#announcedBytes - bodyBytes);
    const waits = job.http1.ready ? 0 : waitsOfNew;
    if (connection.takes(job.request, waits)) connection.send(job);
    // It would wait for longer until the server has taken other bodies, or says what it takes.
    else toHttp1(job);
  }

  /** @param ahead Whether no request needs it yet. */
  #connect(http1: Http1, ahead: boolean): void {
    const { url, connect, facts } = this.#options;
    const { host, protocol, port } = url;
    const place = http1.reserve();
    const { onread } = place;
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const goal: Goal = { host, hostname, protocol, port, protocols: ['h2', 'http/1.1'], ...(onread && { onread }) };
    this.#isConnecting = true;
    connect(goal as buildConnector.Options, (error: Error | null, socket: Socket | null) => {
      if (!socket || this.#closed) {
        this.#isConnecting = false;
        place.drop();
        socket?.destroy();
        this.#unconnected(error ?? coded('UND_ERR_DESTROYED'), ahead);
      } else if ((socket as TLSSocket).alpnProtocol === 'h2') {
        facts?.learn({ http2: true });
        place.drop();
        this.#attach(socket);
      } else {
        this.#isConnecting = false;
        place.take(socket);
        this.#giveUp();
      }
    });
    // It is loaded while the connection is made: afterwards it would be waited for, and most registries choose it.
    setImmediate(() => constants);
  }

  #unconnected(error: Error, ahead: boolean): void {
    // A silent host would be waited for twice.
    const isTold = errorCode(error) === 'UND_ERR_CONNECT_TIMEOUT' || !(ahead || isCut(error));
    if (isCut(error)) this.#fit = false;
    this.#leave(isTold ? (job) => job.handler.onResponseError?.(undefined as never, error) : toHttp1);
  }

  #attach(socket: Socket): void {
    const { url, limits } = this.#options;
    const connection: Http2Connection = new Http2Connection(socket, url, limits, {
      onReady: () => {
        this.#isConnecting = false;
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const job of waiting) this.#send(job, connection);
      },
      onRetired: () => {
        if (this.#isConnecting) this.#giveUp();
        this.#isConnecting = false;
      },
      onOutcome: (outcome, job) => this.#ended(outcome, job as Job),
    });
    this.#connection = connection;
  }

  #ended(outcome: Outcome, job: Job): void {
    if (outcome === 'answered') this.#hasAnswered = true;
    if (outcome === 'answered' || outcome === 'cancelled') return;
    // A server that ends a connection after some requests has answered others.
    const maySendAgain = outcome === 'unprocessed' && this.#hasAnswered && this.#fit && !job.isAgain;
    if (maySendAgain) this.#place({ ...job, isAgain: true });
    else {
      if (outcome !== 'unusual') this.#giveUp();
      if (outcome !== 'broken') toHttp1(job);
    }
  }

  /** Leaves the server to HTTP/1.1. What is on its way may arrive. */
  #giveUp(): void {
    this.#fit = false;
    if (!this.#hasAnswered) this.#options.facts?.learn({ http2: false });
    this.#leave(toHttp1);
  }

  #leave(where: (job: Job) => void): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const job of waiting) where(job);
  }
}

function isCut(error: Error): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'].includes(
    errorCode(error),
  );
}

function toHttp1({ options, handler, http1 }: Job): void {
  http1.dispatch(options, handler);
}
