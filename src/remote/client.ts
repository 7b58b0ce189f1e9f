import { challengesOf, mayHide } from '../auth/challenges.ts';
import type { Authorizer } from '../auth/contract.ts';
import { type ErrorCode, isOciError, type OciError } from '../model/errors.ts';
import type { OnWait } from '../registry/registry.ts';
import { type HttpRequest, type HttpResponse, header, headerLines } from '../transport/http.ts';
import { endpointOf } from '../transport/redact.ts';
import type { Transport } from '../transport/transport.ts';
import { parseWarnings } from '../wire/headers.ts';
import { type Route, routePath } from '../wire/routes.ts';
import type { RemoteOptions } from './options.ts';
import { redirectedWrite } from './redirected-write.ts';
import { responseError } from './response-error.ts';

/** What {@link RemoteClient} decides, or has in another form. */
type Own = 'url' | 'headers' | 'authorization' | 'anonymous' | 'body' | 'onWait';

/** A request to the registry, before authorisation. */
export interface RemoteRequest extends Omit<HttpRequest, Own> {
  readonly url: URL;
  readonly scopes: readonly string[];
  /** Scopes to include in the same token for later requests. If they are refused, the request is sent without them. */
  readonly wider?: readonly string[] | undefined;
  /**
   * Whether a 401 to a request with credentials is final, because the same was just refused: no other token is requested.
   */
  readonly settled?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Bytes, or a function that opens the body for every attempt. */
  readonly body?: Uint8Array | (() => Promise<AsyncIterable<Uint8Array>>) | undefined;
  readonly onWait?: OnWait | undefined;
}

/** The subject of a request, for errors. */
export interface Subject {
  /** `manifest for alpine:3`, `blob sha256:…`. */
  readonly what: string;
  /** The repository's familiar name, if there is one. */
  readonly repository?: string | undefined;
  readonly action?: 'pull' | 'push' | 'delete' | undefined;
  /** The code for a 404 whose body names none. */
  readonly notFound?: ErrorCode | undefined;
}

/** An answer, and the `Authorization` that the request had. */
interface Authorized {
  readonly response: HttpResponse;
  readonly authorization: string | undefined;
}

/** Sends requests to one registry, with the `Authorization` header of the authorizer. */
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

  /** Sends a request without authorisation. */
  async sendPlain(request: RemoteRequest): Promise<HttpResponse> {
    return this.#send(request, undefined);
  }

  /**
   * Sends a request with the authorizer's header. It is repeated after a 401, or if a registry may hide content from
   * anonymous clients that a stored login can see. Every status is returned.
   *
   * Another origin gets no credentials: the Location of an upload may lead there.
   */
  async send(request: RemoteRequest): Promise<HttpResponse> {
    if (request.url.origin !== this.transport.base.origin) return this.sendPlain(request);
    const { scopes, wider = [], signal } = request;
    if (wider.length === 0 || this.refuses(wider)) return (await this.#sendAs(request, scopes)).response;
    let refused: string | undefined;
    try {
      const { response, authorization } = await this.#sendAs(request, [...scopes, ...wider]);
      if (response.status !== 401 && response.status !== 403) return response;
      // The token server may have granted only a part: then a token with fewer scopes allows more.
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

  /** Whether these wider scopes were refused to an earlier request. */
  refuses(wider: readonly string[]): boolean {
    return this.#refused.has(wider.join(' '));
  }

  async #sendAs(request: RemoteRequest, scopes: readonly string[], refused?: string): Promise<Authorized> {
    const { signal } = request;
    let authorization = await this.#authorizer.authorize(scopes, { refused, signal });
    const unasked = authorization !== undefined && this.#authorizer.isUnasked;
    let response = await this.#send(request, authorization);
    if (authorization !== undefined && isRefusal(response) && this.#authorizer.isKept(authorization)) {
      await response.body.discard();
      authorization = await this.#authorizer.authorize(scopes, { refused: authorization, signal }).catch(unlessAnswer);
      response = await this.#send(request, authorization);
    }
    const answer = { response, authorization };
    if (!unasked || request.settled) return this.#settled(request, scopes, answer);
    if (response.status === 400 || isRefusal(response)) return this.#withoutMemory(request, scopes, answer);
    this.#authorizer.taken();
    return this.#settled(request, scopes, answer);
  }

  /** Answers the challenge of a response, if it has one. */
  async #settled(request: RemoteRequest, scopes: readonly string[], answer: Authorized): Promise<Authorized> {
    const { signal } = request;
    let { response, authorization } = answer;
    let challenges = challengesOf(response, request.url);
    if (challenges.length === 0 && authorization === undefined && mayHide(response, request.url)) {
      authorization = await this.#late(response, scopes, signal);
      if (authorization === undefined) return { response, authorization };
      await response.body.discard();
      response = await this.#send(request, authorization);
      challenges = challengesOf(response, request.url);
    }
    const isFinal = request.settled && authorization !== undefined;
    if (challenges.length === 0 || isFinal) return { response, authorization };
    await response.body.discard();
    const next = await this.#authorizer.challenged({ challenges, scopes, authorization, signal });
    return { response: await this.#send(request, next), authorization: next };
  }

  /**
   * After a refusal of an authorization that the registry has not asked for: what was remembered may be wrong. The same request
   * without it tells, and the result is what it would be if nothing had been remembered.
   *
   * @param given The body of its response stays unread until it is known whether it counts.
   */
  async #withoutMemory(request: RemoteRequest, scopes: readonly string[], given: Authorized): Promise<Authorized> {
    const { signal } = request;
    try {
      const response = await this.#send(request, undefined);
      const challenges = challengesOf(response, request.url);
      // A login that may not do this is told so: others are asked for a login.
      const counts = given.response.status !== 401 && response.status >= 400;
      if (challenges.length === 0 && !counts) {
        await given.response.body.discard();
        await this.#authorizer.unwanted();
        return await this.#settled(request, scopes, { response, authorization: undefined });
      }
      await response.body.discard();
      if (challenges.length === 0) {
        this.#authorizer.taken();
        return given;
      }
      // The registry may ask for another login by now.
      const next = await this.#authorizer
        .challenged({ challenges, scopes, authorization: undefined, signal })
        .catch((error: unknown) => {
          if (!counts) throw error;
          return unlessAnswer(error);
        });
      if (next === undefined || next === given.authorization) return given;
      await given.response.body.discard();
      return { response: await this.#send(request, next), authorization: next };
    } catch (error) {
      await given.response.body.cancel();
      throw error;
    }
  }

  /** Sends a request that must be answered with one of these statuses. @throws OciError for any other. */
  async expect(request: RemoteRequest, statuses: readonly number[], subject: Subject): Promise<HttpResponse> {
    const response = await this.send(request);
    if (statuses.includes(response.status)) return response;
    throw await this.error(response, subject);
  }

  /** The error for a response, whose body is read. */
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

  // The response's body stays unread, and its connection in use, until it is known what to send.
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

  /** Sends a request, and follows redirects of writes; the transport follows those of reads. */
  async #send(request: RemoteRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { scopes: _scopes, wider: _wider, settled: _settled, headers, ...rest } = request;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    let { url } = request;
    // As in the transport: after another origin, even this registry gets no credentials, since that origin chose the path.
    let left = false;
    for (let hops = 0; ; hops += 1) {
      const body = typeof request.body === 'function' ? await request.body() : request.body;
      const who = left ? { anonymous: true } : { authorization };
      const response = await this.transport.request({
        ...rest,
        url,
        ...who,
        body,
        ...(headers && { headers }),
      });
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

function isRefusal({ status }: HttpResponse): boolean {
  return status === 401 || status === 403;
}

// Then the registry is asked as if nothing were known of it, and tells what to do.
function unlessAnswer(error: unknown): undefined {
  if (!isOciError(error) || error.code === 'CANCELLED') throw error;
  return undefined;
}

/** Whether a registry or its token server answered. Some token servers fail for two repositories, with 500 or without a token. */
export function isAnswer(error: unknown): boolean {
  return isOciError(error) && ((error.status ?? 0) >= 400 || error.code === 'PROTOCOL');
}
