import type { Authorize, Decision } from './access.ts';
import { checkLogins, readBasic } from './logins.ts';

export interface BasicAuthOptions {
  /** The accounts as they are now: bcrypt hashes by user name. */
  readonly accounts: () => Promise<ReadonlyMap<string, string>>;
  /** What a client shows when it asks for a password. */
  readonly realm: string;
}

/**
 * Lets everybody do everything who has an account. Unknown users take as long as wrong passwords.
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
