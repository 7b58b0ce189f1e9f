/** Registries on loopback that require a login. */
import type { ServerOptions } from 'node:https';
import { type AskedRequest, type FakeServer, json, startFakeServer } from './fake-server.ts';
import type { Scope } from './sandbox.ts';

export interface Account {
  readonly username: string;
  readonly password: string;
}

export const ada: Account = { username: 'ada', password: 'correct horse' };

export function basic({ username, password }: Account): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** A registry with a password file, which accepts one account. */
export function startPasswordRegistry(
  t: Scope,
  account: Account = ada,
  options: { readonly tls?: ServerOptions } = {},
): Promise<FakeServer> {
  const authorization = basic(account);
  return startFakeServer(
    t,
    (request, response) => {
      if (request.headers.authorization === authorization) json(response, 200, {});
      else unauthorized(response, 'Basic realm="test"', 'authentication required');
    },
    options,
  );
}

export interface TokenRegistry {
  readonly registry: FakeServer;
  /** The token server, at another origin. */
  readonly tokens: FakeServer;
}

export interface TokenRegistryOptions {
  readonly account?: Account;
  readonly identityTokens?: boolean;
  /** Where requests with a token are redirected to. Default: every answer is an empty object. */
  readonly target?: string;
}

/**
 * A registry that takes tokens, and a token server that issues them: for one account, for the identity token
 * `identity-1`, and, as Docker Hub does, for anonymous requests.
 */
export async function startTokenRegistry(
  t: Scope,
  { account = ada, identityTokens = true, target }: TokenRegistryOptions = {},
): Promise<TokenRegistry> {
  const tokens = await startFakeServer(t, (request, response) => {
    if (request.method === 'POST') {
      const form = new URLSearchParams(request.body.toString());
      if (form.get('refresh_token') === 'identity-1') json(response, 200, { access_token: 'for-ada', expires_in: 300 });
      else json(response, 400, { error: 'invalid_grant', error_description: 'the refresh token has expired' });
      return;
    }
    const { authorization } = request.headers;
    if (authorization === undefined) json(response, 200, { token: 'for-anybody' });
    else if (authorization !== basic(account)) json(response, 401, { details: 'incorrect username or password' });
    else json(response, 200, { token: 'for-ada', ...(identityTokens && wantsIdentity(request)) });
  });
  const registry = await startFakeServer(t, (request, response) => {
    const { authorization } = request.headers;
    if (authorization === 'Bearer for-ada' || authorization === 'Bearer for-anybody') {
      // Redirects GET requests only.
      if (target !== undefined) response.writeHead(307, { location: new URL(request.path, target).href }).end();
      else json(response, 200, {});
    } else
      unauthorized(response, `Bearer realm="${tokens.url}token",service="registry.test"`, 'authentication required');
  });
  return { registry, tokens };
}

function wantsIdentity({ query }: AskedRequest): { refresh_token?: string } {
  return query.get('offline_token') === 'true' ? { refresh_token: 'identity-1' } : {};
}

function unauthorized(response: Parameters<typeof json>[0], challenge: string, message: string): void {
  json(response, 401, { errors: [{ code: 'UNAUTHORIZED', message }] }, { 'www-authenticate': challenge });
}
