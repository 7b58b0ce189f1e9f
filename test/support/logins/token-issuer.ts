/** A token server whose tokens docker-registry accepts: signed, and limited to what each account may do. */
import { randomUUID, sign, X509Certificate } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import { issue } from '../../certs/issue.ts';
import { type Answer, type FakeServer, json, startFakeServer } from '../fake-server.ts';
import { type Account, ada, basic } from '../login-servers.ts';
import type { TrustedIssuer } from '../programs.ts';
import type { Scope } from '../sandbox.ts';

export interface TokenIssuer extends TrustedIssuer {
  readonly server: FakeServer;
  /** What it issues for `offline_token`, and accepts for OAuth2. */
  readonly identityToken: string;
  /** As in a registry's 401. */
  readonly challenge: string;
}

export interface TokenIssuerOptions {
  readonly account?: Account;
  /** What anonymous requests may do. Default nothing. */
  readonly anybody?: readonly string[];
  /** The lifetime of tokens that it states. Default 300. */
  readonly expiresInS?: number;
  /** Serves https with this certificate. */
  readonly tls?: ServerOptions;
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Starts it on loopback. @see https://distribution.github.io/distribution/spec/auth/jwt/ */
export async function startTokenIssuer(
  t: Scope,
  { account = ada, anybody = [], expiresInS = 300, tls }: TokenIssuerOptions = {},
): Promise<TokenIssuer> {
  const [issuer, service, identityToken] = ['test issuer', 'test registry', 'identity-of-ada'];
  const authority = issue('CN=Test Issuer');
  const x5c = [new X509Certificate(authority.cert).raw.toString('base64')];
  const tokenFor = (subject: string, scopes: readonly string[], may: (action: string) => boolean): string => {
    const nowS = Math.floor(Date.now() / 1000);
    const access = scopes.map(parseScope).map((one) => ({ ...one, actions: one.actions.filter(may) }));
    const times = { nbf: nowS - 10, iat: nowS, exp: nowS + 300 };
    const parts = [
      { typ: 'JWT', alg: 'ES256', x5c },
      { iss: issuer, sub: subject, aud: service, jti: randomUUID(), ...times, access },
    ];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(text), { key: authority.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
  const answers: Answer = ({ method, headers, query, body }, response) => {
    const everything = (): boolean => true;
    const answer = (token: string, more: object = {}): void =>
      json(response, 200, { token, access_token: token, expires_in: expiresInS, ...more });
    if (method === 'POST') {
      const form = new URLSearchParams(body.toString());
      if (form.get('refresh_token') !== identityToken) return json(response, 400, { error: 'invalid_grant' });
      return answer(tokenFor(account.username, (form.get('scope') ?? '').split(' '), everything));
    }
    const scopes = query.getAll('scope');
    if (headers.authorization === undefined) return answer(tokenFor('', scopes, (action) => anybody.includes(action)));
    if (headers.authorization !== basic(account))
      return json(response, 401, { details: 'incorrect username or password' });
    const offline = query.get('offline_token') === 'true' ? { refresh_token: identityToken } : {};
    return answer(tokenFor(account.username, scopes, everything), offline);
  };
  const server = await startFakeServer(t, answers, tls ? { tls } : {});
  const realm = `${server.url}token`;
  const challenge = `Bearer realm="${realm}",service="${service}"`;
  return { server, realm, service, issuer, certificate: authority.cert, identityToken, challenge };
}

function parseScope(scope: string): Access {
  const [type = '', ...rest] = scope.split(':');
  const actions = (rest.pop() ?? '').split(',');
  return { type, name: rest.join(':'), actions };
}
