import { challengesOf, mayHide } from '../auth/challenges.ts';
import type { Authorizer } from '../auth/contract.ts';
import { type ErrorCode, isOciError, type OciError } from '../model/errors.ts';
import { type HttpMethod, type HttpResponse, header, headerLines } from '../transport/http.ts';
import { endpointOf } from '../transport/redact.ts';
import type { Transport } from '../transport/transport.ts';
import { parseWarnings } from '../wire/headers.ts';
import { type Route, routePath } from '../wire/routes.ts';
import { redirectedWrite } from './redirected-write.ts';
import { responseError } from './response-error.ts';

export interface RemoteOptions {
  /** host[:port], or docker.io: what the registry is called in messages. */
  readonly name: string;
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  /** The registry that a mirror stands in for, sent as `?ns=`, where the mirror wants that. */
  readonly nsQuery?: string | undefined;
  /** What it was opened for: an answer to a look before a push does not deny a pull. Default: to read. */
  readonly intent?: 'pull' | 'push' | undefined;
  /** Size of an upload's chunks where it must be cut. Default 8 MiB. */
  readonly uploadChunkBytes?: number | undefined;
  /** Default 4 MiB. */
  readonly maxManifestBytes?: number | undefined;
  /** Told every text that the registry warns with, once. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** A request to the registry, before it is known who we are there. */
export interface RemoteRequest {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly scopes: readonly string[];
  /** Worth having in the same token for what follows: where they are refused, the request goes without. */
  readonly wider?: readonly string[] | undefined;
  /** Whether a 401 to what is shown is final, since the same was just refused: no other token is asked for. */
  readonly settled?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Bytes, or a body that is opened anew for every attempt. */
  readonly body?: Uint8Array | (() => Promise<AsyncIterable<Uint8Array>>) | undefined;
  readonly contentBytes?: number | undefined;
  readonly idempotent?: boolean | undefined;
  readonly persistent?: boolean | undefined;
  readonly takesServerErrors?: boolean | undefined;
  readonly wholeBytes?: number | undefined;
  readonly moreTimeMs?: number | undefined;
  readonly bulk?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a request is about, for the error when it fails. */
export interface Subject {
  /** `manifest for alpine:3`, `blob sha256:…`. */
  readonly what: string;
  /** The repository as people know it, where one is meant. */
  readonly repository?: string | undefined;
  readonly action?: 'pull' | 'push' | 'delete' | undefined;
  /** The code that a 404 means, where its body names none. */
  readonly notFound?: ErrorCode | undefined;
}

/** Sends requests to one registry, with the `Authorization` that the authorizer gives. */
export class RemoteClient {
  readonly name: string;
  readonly transport: Transport;
  readonly options: RemoteOptions;
  readonly #authorizer: Authorizer;
  readonly #warned = new Set<string>();
  /** Wider scopes that were refused. */
  readonly #refused = new Set<string>();

  constructor(options: RemoteOptions) {
    this.name = options.name;
    this.transport = options.transport;
    this.options = options;
    this.#authorizer = options.authorizer;
  }

  get endpoint(): string {
    return endpointOf(this.transport.base);
  }

  url(route: Route, query: Readonly<Record<string, string | undefined>> = {}): URL {
    const url = new URL(`.${routePath(route)}`, this.transport.base);
    for (const [key, value] of Object.entries({ ...query, ns: this.options.nsQuery })) {
      if (value !== undefined) url.searchParams.set(key, value);
    }
    return url;
  }

  /** Sends without an identity. */
  async sendPlain(request: RemoteRequest): Promise<HttpResponse> {
    return this.#send(request, undefined);
  }

  /**
   * Sends with what the authorizer gives, and once more after a 401, or where a registry may hide from strangers what a
   * stored login sees. Any status is an answer.
   *
   * Nothing is said about who we are to another origin: an upload's Location may lead there.
   */
  async send(request: RemoteRequest): Promise<HttpResponse> {
    if (request.url.origin !== this.transport.base.origin) return this.sendPlain(request);
    const { scopes, wider = [], signal } = request;
    if (wider.length === 0 || this.refuses(wider)) return (await this.#sendAs(request, scopes)).response;
    let refused: string | undefined;
    try {
      const { response, authorization } = await this.#sendAs(request, [...scopes, ...wider]);
      if (response.status !== 401 && response.status !== 403) return response;
      // A token server may have granted a part of it: less then serves more.
      const less = await this.#authorizer.authorize(scopes, { refused: authorization, signal });
      if (less === authorization) return response;
      await response.body.discard();
      refused = authorization;
    } catch (error) {
      if (!isAnswer(error)) throw error;
    }
    this.#refused.add(wider.join(' '));
    return (await this.#sendAs(request, scopes, refused)).response;
  }

  /** Whether these scopes were refused when a request asked for them as wider ones. */
  refuses(wider: readonly string[]): boolean {
    return this.#refused.has(wider.join(' '));
  }

  async #sendAs(
    request: RemoteRequest,
    scopes: readonly string[],
    refused?: string,
  ): Promise<{ readonly response: HttpResponse; readonly authorization: string | undefined }> {
    const { signal } = request;
    let authorization = await this.#authorizer.authorize(scopes, { refused, signal });
    let response = await this.#send(request, authorization);
    let challenges = challengesOf(response, request.url);
    if (challenges.length === 0 && authorization === undefined && mayHide(response, request.url)) {
      authorization = await this.#late(response, scopes, signal);
      if (authorization === undefined) return { response, authorization };
      await response.body.discard();
      response = await this.#send(request, authorization);
      challenges = challengesOf(response, request.url);
    }
    const settled = request.settled && authorization !== undefined;
    if (challenges.length === 0 || settled) return { response, authorization };
    await response.body.discard();
    const next = await this.#authorizer.challenged({ challenges, scopes, authorization, signal });
    return { response: await this.#send(request, next), authorization: next };
  }

  /** Sends, and takes only the statuses named. @throws OciError for every other. */
  async expect(request: RemoteRequest, statuses: readonly number[], subject: Subject): Promise<HttpResponse> {
    const response = await this.send(request);
    if (statuses.includes(response.status)) return response;
    throw await this.error(response, subject);
  }

  /** The error that an answer stands for; reads its body. */
  error(response: HttpResponse, subject: Subject): Promise<OciError> {
    const redirected = response.url.origin !== this.transport.base.origin;
    const endpoint = endpointOf(response.url);
    const { source, lateRefusal } = this.#authorizer;
    const action = subject.action ?? (this.options.intent === 'push' ? 'look' : 'pull');
    return responseError(response, {
      ...subject,
      action,
      registry: this.name,
      endpoint,
      redirected,
      source,
      lateRefusal,
    });
  }

  // While it is found out what else to send, the answer's connection waits with its body.
  async #late(
    response: HttpResponse,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    try {
      return await this.#authorizer.late(scopes, { signal });
    } catch (error) {
      await response.body.cancel();
      throw error;
    }
  }

  /** Sends, and follows the redirects of writes; the transport follows those of reads. */
  async #send(request: RemoteRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { scopes: _scopes, wider: _wider, settled: _settled, headers, ...rest } = request;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    let { url } = request;
    // As in the transport: another origin may lead back here to a path of its choice.
    let left = false;
    for (let hops = 0; ; hops += 1) {
      const body = typeof request.body === 'function' ? await request.body() : request.body;
      const who = left ? { anonymous: true } : { authorization };
      const response = await this.transport.request({ ...rest, url, ...who, body, ...(headers && { headers }) });
      if (header(response.headers, 'warning') !== undefined) this.#warn(response);
      const target = isRead ? undefined : await redirectedWrite(response, request.method, hops);
      if (target === undefined) return response;
      url = target;
      left ||= url.origin !== request.url.origin;
    }
  }

  #warn(response: HttpResponse): void {
    for (const text of parseWarnings(headerLines(response.headers, 'warning'))) {
      if (this.#warned.has(text) || this.#warned.size >= 100) continue;
      this.#warned.add(text);
      this.options.onWarning?.(text);
    }
  }
}

/** Whether a registry or its token server answered. Some token servers fail over two repositories in any way: 500, no token. */
export function isAnswer(error: unknown): boolean {
  return isOciError(error) && ((error.status ?? 0) >= 400 || error.code === 'PROTOCOL');
}
