import type { IncomingMessage, ServerResponse } from 'node:http';
import { OciError } from '../../model/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RequestContext } from '../../registry/request-context.ts';
import type { TokenIssuer } from '../auth/token-issuer.ts';
import type { CorsPolicy } from '../operating/cors.ts';
import type { Readiness } from '../operating/readiness.ts';
import type { UploadSessions } from '../sessions.ts';
import type { BlobDownload } from './blob-download.ts';
import { inert } from './content-policy.ts';
import { ServedRequest } from './served-request.ts';

/** State that all requests of one server share. */
export interface ServerState {
  readonly registry: Registry;
  readonly perRequest: ((registry: Registry, request: RequestContext) => Registry) | undefined;
  readonly sessions: UploadSessions;
  readonly deletes: boolean;
  readonly writes: boolean;
  readonly maxManifestBytes: number;
  /** Names on one page of the catalog, at most. */
  readonly maxCatalogPage: number;
  /** Fields of every answer that are not the server's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** Web pages that may use it; undefined: those of its own origin. */
  readonly cors: CorsPolicy | undefined;
  /** Whether a download goes to the store itself; undefined: none does. */
  readonly redirects: ((download: BlobDownload) => boolean) | undefined;
  /** Whether an address is a trusted proxy, whose forwarding headers count; undefined: none is. */
  readonly isProxy: ((address: string) => boolean) | undefined;
  /** Issues tokens at this server's own address, if it does. */
  readonly issuer: TokenIssuer | undefined;
  /** Accepted host names besides the loopback ones; undefined: any. Set when the server listens. */
  hostNames: ReadonlySet<string> | undefined;
  /** Whether the storage answers. */
  readonly readiness: Readiness;
  /** While the server stops, each connection is closed after its response. */
  stopping: boolean;
  /** Logins are refused when half of the time for stopping is over. */
  endsLogins: boolean;
  /** Connections are closed as soon as they are idle. */
  closesIdle: boolean;
}

/** One request and its response. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly state: ServerState;
  readonly context: ServedRequest;
  /** Still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts if the client disconnects before the response is complete. */
  readonly signal: AbortSignal;
  /** Aborts in that case, and when half of the time for stopping is over: it does not wait longer for passwords that are being compared. */
  readonly loginSignal: AbortSignal;
  /** Whether the server waits for the client: only then an idle connection is the client's fault. */
  awaitsClient = false;
  /** The route's name for metrics, once it is known. */
  handler: string | undefined;
  /** The repository in the path, once the route is known. */
  repository: string | undefined;
  /** The `Content-Security-Policy` of the response: the strictest one until the route is known. */
  policy = inert;
  /** Whether the mount source named in the request may be read. */
  mayMount = true;
  /** The media type of the answer, once it has begun. */
  contentType: string | undefined;
  receivedBytes = 0;
  sentBytes = 0;
  /** Of the sent bytes, those that have left this process. */
  takenBytes = 0;
  /** The error for the log; the client may get less. */
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
    // A proxy may send the absolute form: scheme and host are cut off.
    const target = (request.url ?? '/').replace(/^https?:\/\/[^/?#]*/i, '');
    const queryAt = target.indexOf('?');
    this.path = queryAt < 0 ? target : target.slice(0, queryAt);
    this.query = new URLSearchParams(queryAt < 0 ? '' : target.slice(queryAt + 1));
    this.#continueExpected = continueExpected;
    this.signal = this.#gone.signal;
    this.loginSignal = this.#login.signal;
    this.signal.addEventListener('abort', () => this.#login.abort(this.signal.reason), { once: true });
    if (state.endsLogins) this.endLogin();
  }

  /** Ends logins, because the server stops. */
  endLogin(): void {
    this.#login.abort(new OciError('UNAVAILABLE', 'the registry is stopping'));
  }

  /** To be called when the connection has closed: Node does not report it for a response that waits behind another. */
  abandon(): void {
    if (!this.response.writableFinished) this.#gone.abort(clientGone());
  }

  get method(): string {
    return this.context.method;
  }

  /** The registry for this request. */
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

  /** The announced length of the body; undefined if it is not announced. */
  get contentLength(): number | undefined {
    if (this.request.headers['transfer-encoding'] !== undefined) return undefined;
    return Number(this.request.headers['content-length'] ?? 0);
  }

  /** `refused`: the client still waits for `100 Continue`, and can be refused before it sends the body. */
  get unreadBody(): 'none' | 'refused' | 'coming' {
    if (this.contentLength === 0 || this.request.complete) return 'none';
    return this.#continueExpected ? 'refused' : 'coming';
  }

  /**
   * Reads the body chunk by chunk.
   *
   * @throws OciError CANCELLED if the client disconnects, TOO_LARGE past `maxBytes`; errors of `take`.
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
