import { checkOptions, type Shape } from '../../model/check-arguments.ts';
import type { Authorize, Decision } from './access.ts';
import { checkLogins, readBasic } from './logins.ts';

export interface BasicAuthOptions {
  /** Returns the current accounts: bcrypt hashes by user name. */
  readonly accounts: () => Promise<ReadonlyMap<string, string>>;
  /** The realm, which a client shows when it asks for a password. */
  readonly realm: string;
}

const createBasicAuthShape: Shape<BasicAuthOptions> = {
  accounts: 'function',
  realm: 'string',
};

/**
 * Grants everything to users with an account. An unknown user takes as long to refuse as a wrong password.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7617
 */
export function createBasicAuth(options: BasicAuthOptions): Authorize {
  checkOptions('createBasicAuth', options, createBasicAuthShape, ['accounts', 'realm']);
  const { accounts, realm } = options;
  const challenge: Decision = { outcome: 'challenge', challenges: [{ scheme: 'basic', parameters: { realm } }] };
  const isRight = checkLogins(accounts);
  return async ({ headers, remoteAddress, signal }) => {
    const login = readBasic(headers.authorization);
    if (login === undefined || !(await isRight(login, { remoteAddress, signal }))) return challenge;
    return { outcome: 'grant', user: login.user };
  };
}
