/** Tokens for tests, good and bad. */
import { createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { TestContext } from 'node:test';
import { SignJWT } from 'jose';
import { createTokenAuth } from '../../../src/server/auth/token-auth.ts';
import type { TokenTrust } from '../../../src/server/auth/token-trust.ts';
import { type Answer, ask, type Served, startServer } from '../client.ts';

export const realm = 'https://auth.test/token';
export const service = 'registry.test';
export const issuer = 'auth.test';
export const scope = { type: 'repository', name: 'team/app', actions: ['pull', 'push'] };

export interface Signer {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function makeSigner(): Signer {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function jwkOf({ publicKey }: Signer, more: Readonly<Record<string, string>> = {}): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), ...more };
}

export function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow;
}

export interface TokenParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key: KeyObject | Uint8Array;
}

/** A valid token, except for the given parts. A member that is undefined is left out. */
export function makeToken({ header = {}, claims = {}, key }: TokenParts): Promise<string> {
  const payload = {
    iss: issuer,
    aud: service,
    sub: 'ada',
    exp: seconds(300),
    nbf: seconds(-10),
    access: [scope],
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'JWT', ...header }).sign(key);
}

/** A token put together by hand, with the given signature. */
export function forgeToken(header: unknown, claims: unknown, signature = ''): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

export function privateKeyOf(pem: string): KeyObject {
  return createPrivateKey(pem);
}

/** A server that accepts the tokens of the trusted issuers. */
export function startTrusting(t: TestContext, trust: TokenTrust): Promise<Served> {
  return startServer(t, { authorize: createTokenAuth({ realm, service, issuer, trust: async () => trust }) });
}

export function show(server: Served, token: string | undefined, path = '/v2/', method = 'GET'): Promise<Answer> {
  return ask(server, method, path, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
}
