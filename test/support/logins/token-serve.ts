/** Our registry in this process, which requires tokens, and the token server for it. */

import { createTokenAuth } from '../../../src/server/auth/token-auth.ts';
import { readRoots } from '../../../src/server/auth/token-trust.ts';
import { type ServedRegistry, startServe } from '../registries.ts';
import type { Scope } from '../sandbox.ts';
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts';

/** A registry in memory for tokens of an issuer that knows ada. */
export async function startTokenServe(t: Scope): Promise<ServedRegistry & { readonly issuer: TokenIssuer }> {
  const issuer = await startTokenIssuer(t);
  const trust = readRoots(issuer.certificate, 'certificate.pem');
  const { realm, service } = issuer;
  const authorize = createTokenAuth({ realm, service, issuer: issuer.issuer, trust: async () => trust });
  return { ...(await startServe(t, { authorize })), issuer };
}

/** The scopes that were requested from the token server, one entry per request. */
export function askedScopes({ server }: TokenIssuer): readonly string[] {
  return server.requests.map(({ query }) => query.getAll('scope').join(' '));
}
