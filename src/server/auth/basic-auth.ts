import type { Authorize, Decision } from './access.ts';
import { checkLogins, readBasic } from './logins.ts';

export interface BasicAuthOptions {
  /** Returns the current accounts: bcrypt hashes by user name. */
  readonly accounts: () => Promise<ReadonlyMap<string, string>>;
  /** The realm, which a client shows when it asks for a password. */
  readonly realm: string;
}

/**
 * Grants everything to users with an account. An unknown user takes as long to refuse as a wrong password.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7617
 */
export function basicAuth({ accounts, realm }: BasicAuthOptions): Authorize {
  const challenge: Decision = { outcome: 'challenge', challenges: [{ scheme: 'basic', parameters: { realm } }] };
  const isRight = checkLogins(accounts);
  return async ({ headers, remoteAddress, signal }) => {
    const login = readBasic(headers.authorization);
    if (login === undefined || !(await isRight(login, { remoteAddress, signal }))) return challenge;
    return { outcome: 'grant', user: login.user };
  };
}
