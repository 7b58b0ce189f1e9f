/** The token endpoint, with both protocols: GET with Basic credentials, and POST as in OAuth 2. */
import { isOciError, OciError } from '../../model/errors.ts';
import { loginOf, readBasic } from '../auth/logins.ts';
import type { Asker, IssuedToken, TokenIssuer, TokenQuestion } from '../auth/token-issuer.ts';
import { answerError, answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

export const tokenPath = '/token';

const maxFormBytes = 64 * 1024;
interface AtIssuer {
  readonly issuer: TokenIssuer;
}

const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' };

/**
 * Issues a token to the user of `Authorization: Basic`, or to an anonymous client.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export async function getToken(exchange: Exchange, { issuer }: AtIssuer): Promise<void> {
  const { query } = exchange;
  const authorization = exchange.header('authorization');
  const asker: Asker =
    authorization === undefined ? { kind: 'nobody' } : { kind: 'password', login: readBasic(authorization) };
  try {
    const issued = await issue(exchange, issuer, {
      asker,
      service: query.get('service') ?? undefined,
      scopes: scopesOf(query),
      offline: query.get('offline_token') === 'true',
    });
    const { token, refreshToken } = issued;
    const refresh = refreshToken === undefined ? {} : { refresh_token: refreshToken };
    await answerJson(exchange, { token, access_token: token, ...timesOf(issued), ...refresh }, noStore);
  } catch (error) {
    const challenge = isOciError(error, 'UNAUTHORIZED') ? { 'www-authenticate': 'Basic realm="ocictl"' } : {};
    await answerError(exchange, error, { ...noStore, ...challenge });
  }
}

/**
 * Issues a token for a password or a refresh token in a form.
 *
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
export async function postToken(exchange: Exchange, { issuer }: AtIssuer): Promise<void> {
  const form = await readForm(exchange);
  const asker = form && askerOf(form);
  if (form === undefined || asker === undefined) {
    return refuse(
      exchange,
      'invalid_request',
      'send a form with grant_type=password, username and password, or with grant_type=refresh_token and refresh_token',
    );
  }
  const refreshes = asker.kind === 'refresh-token';
  try {
    const issued = await issue(exchange, issuer, {
      asker,
      service: form.get('service') ?? undefined,
      scopes: scopesOf(form),
      offline: !refreshes && form.get('access_type') === 'offline',
    });
    const refreshToken = refreshes ? asker.token : issued.refreshToken;
    const refresh = refreshToken === undefined ? {} : { refresh_token: refreshToken };
    const { token, scopes } = issued;
    const document = {
      access_token: token,
      token_type: 'Bearer',
      scope: scopes.join(' '),
      ...timesOf(issued),
      ...refresh,
    };
    await answerJson(exchange, document, noStore);
  } catch (error) {
    if (isOciError(error, 'UNAUTHORIZED')) await refuse(exchange, 'invalid_grant', error.message, error);
    else if (isOciError(error, 'USAGE')) await refuse(exchange, 'invalid_request', error.message, error);
    else await answerError(exchange, error, noStore);
  }
}

async function issue(exchange: Exchange, issuer: TokenIssuer, question: TokenQuestion): Promise<IssuedToken> {
  const { loginSignal: signal, context } = exchange;
  const issued = await issuer.issue({ ...question, remoteAddress: context.remoteAddress, signal });
  exchange.context.user = issued.user;
  return issued;
}

function timesOf({ expiresInSeconds, issuedAt }: IssuedToken): Readonly<Record<string, unknown>> {
  return { expires_in: expiresInSeconds, issued_at: issuedAt.toISOString() };
}

function askerOf(form: URLSearchParams): Asker | undefined {
  const grant = form.get('grant_type');
  const [username, password, token] = [form.get('username'), form.get('password'), form.get('refresh_token')];
  if (grant === 'refresh_token' && token !== null) return { kind: 'refresh-token', token };
  if (grant !== 'password' || username === null || password === null) return undefined;
  return { kind: 'password', login: loginOf(username, password) };
}

// Several parameters, or one with several scopes separated by spaces.
function scopesOf(parameters: URLSearchParams): readonly string[] {
  const words = parameters.getAll('scope').flatMap((text) => text.split(' '));
  return [...new Set(words.filter((word) => word !== ''))];
}

async function readForm(exchange: Exchange): Promise<URLSearchParams | undefined> {
  const chunks: Uint8Array[] = [];
  await exchange.readBody(async (chunk) => {
    chunks.push(chunk);
  }, maxFormBytes);
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(exchange.header('content-type') ?? '')) return undefined;
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
async function refuse(exchange: Exchange, error: string, description: string, cause?: OciError): Promise<void> {
  exchange.failure = cause ?? new OciError('USAGE', 'not a valid request for a token');
  await answerJson(exchange, { error, error_description: description }, noStore, 400);
}
