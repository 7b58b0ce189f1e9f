import { challengesOf } from '../../auth/challenges.ts';
import { ScopeSet } from '../../auth/scopes.ts';
import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import { OciError } from '../../model/errors.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { endpointOf } from '../../transport/redact.ts';
import { routePath } from '../../wire/routes.ts';
import { askFirstAnswering, type Connect } from '../open/answering.ts';
import type { EndpointConnection } from '../open/endpoint-registry.ts';

/** A token for a program that sends its own requests to the registry. */
export interface BearerToken {
  /** Sent as `Authorization: Bearer …`. A secret. */
  readonly token: string;
  /** The scopes that it was requested with; a server may grant fewer. */
  readonly scopes: readonly string[];
}

/**
 * Asks a registry for its challenge, and its token server for a token.
 *
 * @throws OciError UNSUPPORTED if it works without tokens; UNAUTHORIZED and DENIED; the error of the token server's answer.
 */
export function requestToken(
  endpoints: readonly APIEndpoint[],
  connect: Connect,
  registry: string,
  scopes: readonly string[],
  { signal }: SignalOption = {},
): Promise<BearerToken> {
  return askFirstAnswering(endpoints, connect, (connection) => askOne(connection, registry, scopes, signal));
}

async function askOne(
  { transport, authorizer }: EndpointConnection,
  registry: string,
  scopes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<BearerToken> {
  const url = new URL(`.${routePath({ name: 'base' })}`, transport.base);
  const response = await transport.request({ method: 'GET', url, signal });
  await response.body.discard();
  const challenges = challengesOf(response, url);
  // Check first: without a token server, the authorizer would answer a Basic challenge with the password.
  if (!challenges.some(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'])) {
    const how = challenges.some(({ scheme }) => scheme === 'basic') ? 'asks for user and password' : 'needs no login';
    throw new OciError('UNSUPPORTED', `${registry} gives no tokens: it ${how}`, { endpoint: endpointOf(url) });
  }
  const all = ScopeSet.of(scopes).toStrings();
  const authorization = await authorizer.challenged({ challenges, scopes: all, authorization: undefined, signal });
  return { token: authorization.replace(/^Bearer /, ''), scopes: all };
}
