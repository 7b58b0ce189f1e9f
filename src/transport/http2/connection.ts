import { type ClientHttp2Session, connect } from 'node:http2';
import type { Socket } from 'node:net';
import type { ConnectionLimits } from '../reads/connection.ts';
import { type Outcome, StreamExchange, type StreamJob } from './exchange.ts';
import type { StreamRequest } from './request.ts';

/** What a server may send of one response before it is read: a blob that is small, or a usual manifest. */
const streamWindowBytes = 1024 * 1024;
/** The same for all responses together. */
const windowBytes = 16 * 1024 * 1024;

/** A server sends its settings first, and has as long as for a connection. Of one that speaks something else Node 20 tells nothing. */
const greetingMs = 10_000;

/** What the owner of a connection is told. */
interface Owner {
  /** Called once it is known what the server accepts, for the first requests. */
  onReady(): void;
  onOutcome(outcome: Outcome, job: StreamJob): void;
  /** Called when the connection takes no further requests. */
  onRetired(): void;
}

/** An HTTP/2 connection, with requests as its streams. */
export class Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #limits: ConnectionLimits;
  readonly #owner: Owner;
  #active = 0;
  /** Of the requests that have no answer yet. */
  #bodyBytes = 0;
  /** Requests whose bodies come from somewhere else while they are sent. */
  #fed = 0;
  /** The most that the server takes of all bodies before it has read any. */
  #fullWindowBytes = 0;
  readonly #greetingTimer: NodeJS.Timeout;
  #restTimer: NodeJS.Timeout | undefined;
  #isRetired = false;

  /** @param socket A TLS connection on which the server has chosen HTTP/2. */
  constructor(socket: Socket, url: URL, limits: ConnectionLimits, owner: Owner) {
    this.#limits = limits;
    this.#owner = owner;
    this.#session = connect(url.origin, {
      createConnection: () => socket as never,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes, maxHeaderListSize: limits.headerBytes },
    });
    this.#session
      .once('connect', () => {
        // The preface is sent with the first requests, and this with it.
        this.#session.setLocalWindowSize(windowBytes);
        this.#rest();
        owner.onReady();
      })
      .on('goaway', () => this.#retire())
      .on('close', () => this.#retire())
      // Each stream is told as well.
      .on('error', () => this.#retire())
      .on('remoteSettings', ({ maxConcurrentStreams }) => {
        clearTimeout(this.#greetingTimer);
        if (maxConcurrentStreams === 0) this.destroy();
      });
    const patienceMs = Math.min(greetingMs, limits.headersTimeoutMs || greetingMs);
    this.#greetingTimer = setTimeout(() => this.destroy(), patienceMs).unref();
  }

  /** Whether it takes another request. */
  get open(): boolean {
    return !this.#isRetired && !this.#session.closed && !this.#session.destroyed;
  }

  /**
   * How long a body can be that is sent in one piece, without a wait for the server; 0 until it has told.
   *
   * @param waits For how many such waits there is time.
   */
  roomBytes(waits = 0): number {
    const { remoteSettings, state, pendingSettingsAck } = this.#session;
    if (pendingSettingsAck) return 0;
    const { initialWindowSize = 0 } = remoteSettings;
    this.#fullWindowBytes = Math.max(this.#fullWindowBytes, state.remoteWindowSize ?? 0);
    return Math.min(initialWindowSize, (waits + 1) * this.#fullWindowBytes - this.#bodyBytes);
  }

  /**
   * Whether a request is sent without a wait for the server.
   *
   * @param waits As for {@link roomBytes}.
   */
  takes({ body, bodyBytes }: StreamRequest, waits: number): boolean {
    const { maxConcurrentStreams = Number.POSITIVE_INFINITY } = this.#session.remoteSettings;
    // The bytes may be those of another response here, which needs a stream too.
    if (isFed(body) && this.#fed + 1 > maxConcurrentStreams / 2) return false;
    return bodyBytes === 0 || bodyBytes <= this.roomBytes(waits);
  }

  send(job: StreamJob): void {
    let exchange: StreamExchange;
    try {
      const { headers, bodyBytes } = job.request;
      const stream = this.#session.request(headers, { endStream: bodyBytes === 0 });
      exchange = new StreamExchange(stream, job, this.#limits, (outcome) => this.#ended(outcome, job));
    } catch {
      // It has just been closed, or takes no such header: HTTP/1.1 tells.
      this.#owner.onOutcome('unprocessed', job);
      return;
    }
    this.#active += 1;
    this.#bodyBytes += job.request.bodyBytes;
    if (isFed(job.request.body)) this.#fed += 1;
    clearTimeout(this.#restTimer);
    this.#session.ref();
    exchange.start();
  }

  destroy(): void {
    this.#retire();
    this.#session.destroy();
  }

  #ended(outcome: Outcome, job: StreamJob): void {
    this.#active -= 1;
    this.#bodyBytes -= job.request.bodyBytes;
    if (isFed(job.request.body)) this.#fed -= 1;
    if (this.#active === 0) this.#rest();
    this.#owner.onOutcome(outcome, job);
  }

  #rest(): void {
    this.#session.unref();
    this.#restTimer = setTimeout(() => this.destroy(), this.#limits.keepAliveMs).unref();
    if (this.#isRetired) this.#session.close();
  }

  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    clearTimeout(this.#greetingTimer);
    this.#owner.onRetired();
  }
}

function isFed(body: StreamRequest['body']): boolean {
  return !(body instanceof Uint8Array);
}
