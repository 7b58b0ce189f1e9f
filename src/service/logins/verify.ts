import { STATUS_CODES } from 'node:http';
import { challengesOf } from '../../auth/challenges.ts';
import { checkedRealm } from '../../auth/realm.ts';
import { basicAuthorization, fetchToken } from '../../auth/token-server.ts';
import type { Credential } from '../../credentials/credential.ts';
import type { Challenge } from '../../model/challenge.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { type HttpResponse, header } from '../../transport/http.ts';
import { endpointOf, redactUrl } from '../../transport/redact.ts';
import type { Transport } from '../../transport/transport.ts';
import { decodeError } from '../../wire/errors.ts';
import { parseRetryAfter } from '../../wire/headers.ts';
import { routePath } from '../../wire/routes.ts';

/** A login that succeeded. */
export interface AuthResult {
  /** Docker's wording. */
  readonly status: 'Login Succeeded';
  /** False if the registry requires no login, so that nothing could be checked. */
  readonly verified: boolean;
  /** From the token server, to be stored in place of the password. */
  readonly identityToken?: string;
}

export interface VerifyOptions {
  /** The registry's name in messages. */
  readonly registry: string;
  /** Called with the challenges that the credential has answered. */
  readonly onAnswered?: ((challenges: readonly Challenge[]) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const maxErrorBytes = 1024 * 1024;
const succeeded = 'Login Succeeded';

/**
 * Checks a credential at one endpoint, with Basic or with a token, as its challenge says. The credential is sent only
 * to the endpoint and its token server.
 *
 * @throws OciError UNAUTHORIZED or DENIED (`login attempt to <url> failed with status: …`), TOOMANYREQUESTS,
 * UNAVAILABLE; PROTOCOL if it is not a registry; what the transport throws.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export async function verifyCredential(
  transport: Transport,
  credential: Credential,
  { registry, onAnswered, signal }: VerifyOptions,
): Promise<AuthResult> {
  const url = new URL(`.${routePath({ name: 'base' })}`, transport.base);
  const attempt: Attempt = { transport, credential, registry, signal, url };
  const first = await transport.request({ method: 'GET', url, signal });
  if (first.status === 200) {
    if (await isWebPage(first)) throw noRegistry(attempt);
    return { status: succeeded, verified: false };
  }
  const challenges = challengesOf(first, url);
  const identity = await identify(attempt, challenges);
  if (!identity) throw await refusalBy(first, attempt);
  await first.body.discard();
  const second = await transport.request({ method: 'GET', url, authorization: identity.authorization, signal });
  if (second.status !== 200) throw await refusalBy(second, attempt);
  await second.body.discard();
  await onAnswered?.(challenges);
  const { identityToken } = identity;
  return { status: succeeded, verified: true, ...(identityToken !== undefined && { identityToken }) };
}

interface Attempt {
  readonly transport: Transport;
  readonly credential: Credential;
  readonly registry: string;
  readonly signal: AbortSignal | undefined;
  readonly url: URL;
}

interface Identity {
  readonly authorization: string;
  readonly identityToken?: string | undefined;
}

/** undefined: none of the challenges can be answered. */
async function identify(attempt: Attempt, challenges: readonly Challenge[]): Promise<Identity | undefined> {
  const { transport, credential, registry, signal } = attempt;
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm']);
  if (bearer && credential.kind === 'registry-token') return { authorization: `Bearer ${credential.token}` };
  if (bearer) {
    const realm = checkedRealm(bearer.parameters['realm'] ?? '', transport.base);
    const service = bearer.parameters['service'];
    const request = { realm, service, scopes: [], credential, registry, login: true, signal };
    try {
      const { value, identityToken } = await fetchToken(transport, request, Date.now);
      return { authorization: `Bearer ${value}`, identityToken };
    } catch (error) {
      if (!isOciError(error, 'UNAUTHORIZED', 'DENIED')) throw error;
      throw refusal(
        attempt,
        error.code === 'DENIED' ? 'DENIED' : 'UNAUTHORIZED',
        error.status ?? 401,
        error.message,
        error,
      );
    }
  }
  const basic = challenges.some(({ scheme }) => scheme === 'basic');
  if (basic && credential.kind === 'password') return { authorization: basicAuthorization(credential) };
  return undefined;
}

/** Check the body too: some registries send their plain "OK" as text/html. */
async function isWebPage({ headers, body }: HttpResponse): Promise<boolean> {
  const type = header(headers, 'content-type') ?? '';
  if (!/^text\/html\b/i.test(type)) return body.discard().then(() => false);
  const bytes = await body.bytes(maxErrorBytes).catch(() => new Uint8Array());
  return /^\s*</.test(Buffer.from(bytes.subarray(0, 100)).toString('latin1'));
}

function noRegistry({ registry, url }: Attempt): OciError {
  return new OciError('PROTOCOL', `${registry} answered with a web page, not as a registry`, {
    endpoint: endpointOf(url),
    hint: 'a proxy or a login page of the network may have answered, or no registry runs there',
  });
}

async function refusalBy(response: HttpResponse, attempt: Attempt): Promise<OciError> {
  const { status, headers } = response;
  const body = await response.body.bytes(maxErrorBytes).catch(() => new Uint8Array());
  const endpoint = endpointOf(response.url);
  const subject = sentence(attempt, status);
  const retryAfterMs = parseRetryAfter(header(headers, 'retry-after'), Date.now());
  const error = decodeError(body, { status, subject, endpoint, retryAfterMs, notFound: 'PROTOCOL' });
  const { code, message, retryable, detail } = error;
  if (code === 'UNAUTHORIZED' || code === 'DENIED') {
    return refusal(attempt, code, status, reasonIn(message, subject, `${status} from ${endpoint}`));
  }
  return new OciError(code, message, { status, endpoint, retryAfterMs, retryable, detail });
}

function refusal(
  attempt: Attempt,
  code: 'UNAUTHORIZED' | 'DENIED',
  status: number,
  reason: string,
  cause?: unknown,
): OciError {
  const message = reason === '' ? sentence(attempt, status) : `${sentence(attempt, status)}: ${reason}`;
  return new OciError(code, message, {
    status,
    endpoint: endpointOf(attempt.url),
    cause,
    hint: 'check the user name and the password; many registries want an access token in place of the password',
  });
}

function sentence({ url }: Attempt, status: number): string {
  const text = `login attempt to ${redactUrl(url)} failed with status: ${status}`;
  return STATUS_CODES[status] === undefined ? text : `${text} ${STATUS_CODES[status]}`;
}

/** What the registry said; empty if the message only repeats the status. */
function reasonIn(message: string, subject: string, nothing: string): string {
  const reason = message.slice(subject.length + 2);
  return reason === nothing ? '' : reason;
}
