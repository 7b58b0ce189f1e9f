import type { IncomingMessage, ServerResponse } from 'node:http';
import { OciError } from '../../model/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RequestContext } from '../../registry/request-context.ts';
import type { TokenIssuer } from '../auth/token-issuer.ts';
import type { UploadSessions } from '../sessions.ts';
import { inert } from './content-policy.ts';
import { ServedRequest } from './served-request.ts';

/** What the requests of one server share. */
export interface ServerState {
  readonly registry: Registry;
  readonly perRequest: ((registry: Registry, request: RequestContext) => Registry) | undefined;
  readonly sessions: UploadSessions;
  readonly deletes: boolean;
  readonly writes: boolean;
  readonly maxManifestBytes: number;
  /** Whether what an address says of the clients behind it counts; undefined: that of none. */
  readonly isProxy: ((address: string) => boolean) | undefined;
  /** Who gives tokens at this server's own address, where one does. */
  readonly issuer: TokenIssuer | undefined;
  /** The names it is reached by besides the loopback ones; undefined: any. Known when it listens. */
  hostNames: ReadonlySet<string> | undefined;
  /** A server that is stopping closes each connection after its answer. */
  stopping: boolean;
}

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly state: ServerState;
  readonly context: ServedRequest;
  /** Still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts when the client goes away before its answer is complete. */
  readonly signal: AbortSignal;
  /** Aborts then too, and when the server stops: it does not wait for passwords that are compared. */
  readonly loginSignal: AbortSignal;
  /** Whether the server waits for the client: only then does an idle connection count against it. */
  awaitsClient = false;
  /** What metrics call the route, once it is known. */
  handler: string | undefined;
  /** The `Content-Security-Policy` of the answer: the strictest, until the route is known. */
  policy = inert;
  /** Whether the mount source named in the request may be read. */
  mayMount = true;
  receivedBytes = 0;
  sentBytes = 0;
  /** Of those, what is known to have left this process. */
  takenBytes = 0;
  /** What went wrong, for the log; the client may be told less. */
  failure: unknown;
  readonly #gone = new AbortController();
  readonly #login = new AbortController();
  #registry: Registry | undefined;
  #continueExpected: boolean;

  constructor(state: ServerState, request: IncomingMessage, response: ServerResponse, continueExpected: boolean) {
    this.state = state;
    this.request = request;
    this.response = response;
    this.context = new ServedRequest(request, state.isProxy);
    // A proxy may send the absolute form; what is before the path is then ours.
    const target = (request.url ?? '/').replace(/^https?:\/\/[^/?#]*/i, '');
    const queryAt = target.indexOf('?');
    this.path = queryAt < 0 ? target : target.slice(0, queryAt);
    this.query = new URLSearchParams(queryAt < 0 ? '' : target.slice(queryAt + 1));
    this.#continueExpected = continueExpected;
    this.signal = this.#gone.signal;
    this.loginSignal = this.#login.signal;
    this.signal.addEventListener('abort', () => this.#login.abort(this.signal.reason), { once: true });
    if (state.stopping) this.endLogin();
  }

  /** The server stops. */
  endLogin(): void {
    this.#login.abort(new OciError('UNAVAILABLE', 'the registry is stopping'));
  }

  /** The connection has closed. A response that waits behind another on it is not told by Node. */
  abandon(): void {
    if (!this.response.writableFinished) this.#gone.abort(clientGone());
  }

  get method(): string {
    return this.context.method;
  }

  /** The registry as this request sees it. */
  get registry(): Registry {
    const { registry, perRequest } = this.state;
    this.#registry ??= perRequest === undefined ? registry : perRequest(registry, this.context);
    return this.#registry;
  }

  get sendingBytes(): number {
    return this.sentBytes - this.takenBytes;
  }

  /** Breaks the connection. */
  cut(reason: OciError): void {
    this.#gone.abort(reason);
    this.request.socket.destroy();
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** The length the client announced; undefined for a body of unknown length. */
  get contentLength(): number | undefined {
    if (this.request.headers['transfer-encoding'] !== undefined) return undefined;
    return Number(this.request.headers['content-length'] ?? 0);
  }

  /** `refused`: the client still waits for `100 Continue` and can be told off before it sends. */
  get unreadBody(): 'none' | 'refused' | 'coming' {
    if (this.contentLength === 0 || this.request.complete) return 'none';
    return this.#continueExpected ? 'refused' : 'coming';
  }

  /**
   * Reads the body, one chunk after the other.
   *
   * @throws OciError CANCELLED when the client goes away, TOO_LARGE past `maxBytes`; whatever `take` throws.
   */
  async readBody(take: (chunk: Uint8Array) => Promise<void>, maxBytes = Number.POSITIVE_INFINITY): Promise<void> {
    if ((this.contentLength ?? 0) > maxBytes) throw tooLarge(maxBytes);
    if (this.#continueExpected) this.response.writeContinue();
    this.#continueExpected = false;
    const chunks = this.request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, undefined>;
    try {
      for (let next = await this.#next(chunks); next !== undefined; next = await this.#next(chunks)) {
        this.receivedBytes += next.length;
        if (this.receivedBytes > maxBytes) throw tooLarge(maxBytes);
        await take(next);
      }
    } finally {
      await chunks.return?.();
    }
  }

  async #next(chunks: AsyncIterator<Uint8Array, undefined>): Promise<Uint8Array | undefined> {
    this.awaitsClient = true;
    try {
      return (await chunks.next()).value;
    } catch {
      throw this.signal.aborted ? this.signal.reason : clientGone();
    } finally {
      this.awaitsClient = false;
    }
  }
}

function clientGone(): OciError {
  return new OciError('CANCELLED', 'the client went away');
}

function tooLarge(maxBytes: number): OciError {
  return new OciError('TOO_LARGE', `the body is larger than the ${maxBytes} bytes allowed`);
}
