import type { Credential } from '../credentials/credential.ts';
import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { contentLength, type HttpResponse, header } from '../transport/http.ts';
import { endpointOf } from '../transport/redact.ts';
import type { Transport } from '../transport/transport.ts';
import { decodeError, printable } from '../wire/errors.ts';
import { parseRetryAfter } from '../wire/headers.ts';

/** A request for a token. */
interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  /** host[:port] of the registry, for messages. */
  readonly registry: string;
  /**
   * For checking the credential itself: an identity token is requested too, a refusal is not followed by an anonymous
   * request, and the message of an UNAUTHORIZED or DENIED is the server's own reason, empty if it gave none.
   */
  readonly login?: boolean | undefined;
  readonly options?: TokenOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of token requests. */
export interface TokenOptions {
  /** The name of this program for token servers. Default `ocictl`. */
  readonly clientId?: string | undefined;
  /** Sends user and password in OAuth2's POST first. Default: the GET that every token server supports. */
  readonly forceOAuth2?: boolean | undefined;
  /** Requests an identity token as well, which is returned in {@link Token}. Default false. */
  readonly offlineToken?: boolean | undefined;
}

export interface Token {
  /** Sent as `Authorization: Bearer …`. A secret. */
  readonly value: string;
  /** A refresh token for later logins, if the server sent one. */
  readonly identityToken?: string;
  /** When to stop using the token, in milliseconds of the given clock. */
  readonly expiresAtMs: number;
}

const maxTokenBytes = 1024 * 1024;
const defaultClientId = 'ocictl';

/**
 * Exchanges a credential, or none, for a token.
 *
 * @throws OciError UNAUTHORIZED, DENIED, TOOMANYREQUESTS, UNAVAILABLE; PROTOCOL for an answer that is not a token.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
export async function fetchToken(transport: Transport, request: TokenRequest, nowMs: () => number): Promise<Token> {
  const { credential, options, login } = request;
  if (credential?.kind !== 'identity-token' && !(credential?.kind === 'password' && options?.forceOAuth2)) {
    const basic = credential?.kind === 'password' ? basicAuthorization(credential) : undefined;
    return readToken(await get(transport, request, basic), request, nowMs);
  }
  const response = await post(transport, request, grantOf(credential));
  const basic = basicOf(credential);
  const refused = [400, 401, 404, 405].includes(response.status);
  // Servers without OAuth2 send these statuses, and some accept the token as a password. An anonymous request is not
  // tried: it would hide that the stored credential is outdated.
  if (!refused || basic === undefined || (login && credential.kind === 'identity-token')) {
    return readToken(response, request, nowMs, refused);
  }
  await response.body.discard();
  return readToken(await get(transport, request, basic), request, nowMs);
}

type OAuth2Credential = Extract<Credential, { readonly kind: 'password' | 'identity-token' }>;

function grantOf(credential: OAuth2Credential): Readonly<Record<string, string>> {
  if (credential.kind === 'identity-token') return { grant_type: 'refresh_token', refresh_token: credential.token };
  return { grant_type: 'password', username: credential.username, password: credential.password };
}

function basicOf(credential: OAuth2Credential): string | undefined {
  if (credential.kind === 'password') return basicAuthorization(credential);
  const { username, token } = credential;
  return username === undefined ? undefined : basicAuthorization({ username, password: token });
}

/** The hint for a registry that refuses access. @param shown Whether credentials were sent. */
export function loginHint(registry: string, shown: boolean): string {
  const login = `log in with 'ocictl login${registry === 'docker.io' ? '' : ` ${registry}`}'`;
  return shown ? `${login}; public images can be pulled without credentials, with --anonymous` : login;
}

/** The `Authorization` header for a user and password. @see https://www.rfc-editor.org/rfc/rfc7617#section-2 */
export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function get(transport: Transport, request: TokenRequest, authorization: string | undefined): Promise<HttpResponse> {
  const { realm, service, scopes, credential, login, options, signal } = request;
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const account = credential?.kind === 'registry-token' ? undefined : credential?.username;
  if (authorization !== undefined && account !== undefined) url.searchParams.set('account', account);
  if (login || options?.offlineToken) url.searchParams.set('offline_token', 'true');
  if (login || options) url.searchParams.set('client_id', options?.clientId ?? defaultClientId);
  return transport.request({ method: 'GET', url, authorization, wholeBytes: maxTokenBytes, signal });
}

function post(
  transport: Transport,
  request: TokenRequest,
  grant: Readonly<Record<string, string>>,
): Promise<HttpResponse> {
  const { clientId = defaultClientId, offlineToken = false } = request.options ?? {};
  const offline = offlineToken || grant['grant_type'] === 'refresh_token';
  const form = new URLSearchParams({ ...grant, client_id: clientId, ...(offline && { access_type: 'offline' }) });
  if (request.service !== undefined) form.set('service', request.service);
  if (request.scopes.length > 0) form.set('scope', request.scopes.join(' '));
  return transport.request({
    method: 'POST',
    url: request.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    // Requesting a token twice has no other effect than requesting it once.
    idempotent: true,
    wholeBytes: maxTokenBytes,
    signal: request.signal,
  });
}

async function readToken(
  response: HttpResponse,
  request: TokenRequest,
  nowMs: () => number,
  credentialRefused = false,
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
  if (response.status !== 200) throw refusal(response, body, request, credentialRefused);
  const document = parseBody(body);
  if (document === undefined) {
    const html = /^\s*</.test(Buffer.from(body.subarray(0, 100)).toString('latin1'));
    throw unusable(
      html ? 'answered with a web page, not with a token' : 'did not answer with JSON',
      'a proxy or a login page of the network may be in between',
    );
  }
  const value = [document['access_token'], document['token']].find((text) => typeof text === 'string' && text !== '');
  if (typeof value !== 'string') throw unusable('answered without a token');
  // A line break in a token could inject another header.
  if (!isTokenText(value)) throw unusable('sent a token with invalid characters');
  const refreshToken = document['refresh_token'];
  const identityToken = typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined;
  return { value, expiresAtMs: expiry(document, nowMs()), ...(identityToken !== undefined && { identityToken }) };
}

/** Whether it can be sent as a token. */
export function isTokenText(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

/**
 * When to stop using a token: `issued_at` (or now) plus `expires_in`, at least a minute, minus 30 s or a quarter of its
 * lifetime. An implausible `issued_at` is ignored, because the server's clock may be wrong.
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

function refusal(
  response: HttpResponse,
  body: Uint8Array,
  request: TokenRequest,
  credentialRefused: boolean,
): OciError {
  const { status } = response;
  const { credential, registry } = request;
  const endpoint = endpointOf(response.url);
  const hint = loginHint(registry, credential !== undefined);
  // A server without OAuth2 (404, 405) cannot use an identity token.
  const refusals = credential?.kind === 'identity-token' ? [400, 401, 403, 404, 405] : [401, 403];
  if (request.login && refusals.includes(status)) {
    const code = status === 403 ? 'DENIED' : 'UNAUTHORIZED';
    return new OciError(code, printable(firstMessage(body)), { status, endpoint });
  }
  if ((status === 401 || credentialRefused) && credential) {
    const said = printable(firstMessage(body));
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
  const { code, message, retryAfterMs } = error;
  if (code === 'UNAUTHORIZED' || code === 'DENIED') return new OciError(code, message, { status, endpoint, hint });
  const failed = `the token server ${response.url.host} failed; try again later, or ask those who run it`;
  return status >= 500 ? new OciError(code, message, { status, endpoint, retryAfterMs, hint: failed }) : error;
}

function firstMessage(body: Uint8Array): string {
  const document = parseBody(body);
  const errors = document?.['errors'];
  const entry: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const { message } = (entry ?? {}) as { readonly message?: unknown };
  const said = [message, document?.['details'], document?.['message'], document?.['error_description']];
  return said.find((text) => typeof text === 'string') ?? '';
}

function parseBody(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = parseJson(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
