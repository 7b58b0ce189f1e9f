import type { Credential } from '../credentials/credential.ts';
import { OciError } from '../model/errors.ts';
import { contentLength, type HttpResponse, header } from '../transport/http.ts';
import { endpointOf } from '../transport/redact.ts';
import type { Transport } from '../transport/transport.ts';
import { decodeError, printable } from '../wire/errors.ts';
import { parseRetryAfter } from '../wire/headers.ts';

/** What a token is asked for with. */
export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  /** host[:port] of the registry, for messages. */
  readonly registry: string;
  /**
   * Checks the credential itself: an identity token is asked for too, no refusal is met by asking as anybody, and the
   * message of an UNAUTHORIZED or DENIED is the server's own reason, empty where it gave none.
   */
  readonly login?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Token {
  readonly value: string;
  /** What the server gave to log in with from now on. */
  readonly identityToken?: string;
  /** When to stop using it, in the milliseconds of the clock that was given. */
  readonly expiresAtMs: number;
}

const maxTokenBytes = 1024 * 1024;
const clientId = 'ocictl';

/**
 * Exchanges a credential, or none, for a token.
 *
 * @throws OciError UNAUTHORIZED, DENIED, TOOMANYREQUESTS, UNAVAILABLE; PROTOCOL for an answer that is no token.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
export async function fetchToken(transport: Transport, request: TokenRequest, nowMs: () => number): Promise<Token> {
  const { credential } = request;
  if (credential?.kind === 'identity-token') {
    const response = await post(transport, request, credential.token);
    // Servers without OAuth2, and those that know the token no more: what everybody may have is still to be had.
    if (request.login || ![400, 401, 404, 405].includes(response.status)) return readToken(response, request, nowMs);
    await response.body.discard();
    const refused = response.status === 400 || response.status === 401;
    return readToken(await get(transport, request, undefined), request, nowMs, refused);
  }
  const basic = credential?.kind === 'password' ? basicAuthorization(credential) : undefined;
  return readToken(await get(transport, request, basic), request, nowMs);
}

/** The `Authorization` of a user and a password. @see https://www.rfc-editor.org/rfc/rfc7617#section-2 */
export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function get(transport: Transport, request: TokenRequest, authorization: string | undefined): Promise<HttpResponse> {
  const { realm, service, scopes, credential, login, signal } = request;
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (authorization !== undefined && credential?.kind === 'password') {
    url.searchParams.set('account', credential.username);
  }
  if (login) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', clientId);
  }
  return transport.request({ method: 'GET', url, authorization, signal });
}

function post(transport: Transport, request: TokenRequest, refreshToken: string): Promise<HttpResponse> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    access_type: 'offline',
  });
  if (request.service !== undefined) form.set('service', request.service);
  if (request.scopes.length > 0) form.set('scope', request.scopes.join(' '));
  return transport.request({
    method: 'POST',
    url: request.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    // To ask for a token twice does nothing that asking once does not.
    idempotent: true,
    signal: request.signal,
  });
}

async function readToken(
  response: HttpResponse,
  request: TokenRequest,
  nowMs: () => number,
  identityRefused = false,
): Promise<Token> {
  const server = response.url.host;
  const endpoint = endpointOf(response.url);
  const unusable = (what: string, hint?: string): OciError =>
    new OciError('PROTOCOL', `the token server ${server} of ${request.registry} ${what}`, { endpoint, hint });
  if ((contentLength(response.headers) ?? 0) > maxTokenBytes) {
    await response.body.cancel();
    throw unusable('sends far too much for a token');
  }
  const body = await response.body.bytes(maxTokenBytes);
  if (response.status !== 200) throw refusal(response, body, request, identityRefused);
  const document = parseJson(body);
  if (document === undefined) {
    const html = /^\s*</.test(Buffer.from(body.subarray(0, 100)).toString('latin1'));
    throw unusable(
      html ? 'answered with a web page, not with a token' : 'did not answer with JSON',
      'a proxy or a login page of the network may stand in between',
    );
  }
  const value = [document['access_token'], document['token']].find((text) => typeof text === 'string' && text !== '');
  if (typeof value !== 'string') throw unusable('answered without a token');
  // What is sent as a header must not be able to end it.
  if (!/^[\x21-\x7e]+$/.test(value)) throw unusable('sent a token of characters that none may have');
  const refreshToken = document['refresh_token'];
  const identityToken = typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined;
  return { value, expiresAtMs: expiry(document, nowMs()), ...(identityToken !== undefined && { identityToken }) };
}

/**
 * When a token stops being used: `issued_at` or now, plus `expires_in`, at least a minute; 30 s earlier than that, or a
 * quarter of its life. A server whose clock is wrong is not believed about `issued_at`.
 */
export function expiry(document: Readonly<Record<string, unknown>>, nowMs: number): number {
  const seconds = document['expires_in'];
  const livesMs = Math.max(typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : 60, 60) * 1000;
  const issuedAt = document['issued_at'];
  const issuedMs = typeof issuedAt === 'string' ? Date.parse(issuedAt) : Number.NaN;
  const believable = issuedMs <= nowMs && issuedMs + livesMs > nowMs;
  const endMs = (believable ? issuedMs : nowMs) + livesMs;
  return endMs - Math.min(30_000, (endMs - nowMs) / 4);
}

function refusal(response: HttpResponse, body: Uint8Array, request: TokenRequest, identityRefused: boolean): OciError {
  const { status } = response;
  const { credential, registry } = request;
  const endpoint = endpointOf(response.url);
  const hint = `log in with 'ocictl login ${registry}'`;
  // A server without OAuth2 (404, 405) has no use for an identity token.
  const refusals = credential?.kind === 'identity-token' ? [400, 401, 403, 404, 405] : [401, 403];
  if (request.login && refusals.includes(status)) {
    const code = status === 403 ? 'DENIED' : 'UNAUTHORIZED';
    return new OciError(code, printable(String(firstMessage(body) ?? '')), { status, endpoint });
  }
  if ((status === 401 || identityRefused) && credential) {
    const said = printable(String(firstMessage(body) ?? ''));
    return new OciError(
      'UNAUTHORIZED',
      `unauthorized: ${registry} refused the credentials from ${credential.source}${said === '' ? '' : `: ${said}`}`,
      { status, endpoint, hint },
    );
  }
  const error = decodeError(body, {
    status,
    endpoint,
    subject: `token for ${registry}`,
    retryAfterMs: parseRetryAfter(header(response.headers, 'retry-after'), Date.now()),
    notFound: 'UNAVAILABLE',
  });
  if (error.code !== 'UNAUTHORIZED' && error.code !== 'DENIED') return error;
  return new OciError(error.code, error.message, { status, endpoint, hint });
}

function firstMessage(body: Uint8Array): unknown {
  const document = parseJson(body);
  const errors = document?.['errors'];
  const entry: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const { message } = (entry ?? {}) as { readonly message?: unknown };
  return message ?? document?.['details'] ?? document?.['message'] ?? document?.['error_description'];
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
