import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import type { Credential } from './credential.ts';

interface Account {
  readonly username: string;
  readonly password: string;
}

/**
 * A credential from a user name and password that the user entered.
 *
 * @param source Where they were entered, for messages.
 * @throws OciError USAGE if they are invalid: the registry would receive something else.
 */
export function passwordCredential({ username, password }: Account, source: string): PasswordCredential {
  const refuse = (text: string, hint?: string): never => {
    throw new OciError('USAGE', text, { hint });
  };
  if (username === '') refuse('username is empty');
  if (/[\0\r\n]/.test(username)) refuse('the username holds a line break or a NUL character');
  if (username.includes(':'))
    refuse('a username cannot hold a colon', 'the text after it would become part of the password');
  refuseUnusableSecret(password, 'password');
  return { kind: 'password', username, password, source };
}

export type PasswordCredential = Extract<Credential, { readonly kind: 'password' }>;

/**
 * Refuses line breaks and NULs: nearly always too much of a file was read, and some helpers would store half of it. A
 * JSON object may have line breaks, because Google's `_json_key` login uses a whole document as the password.
 *
 * @throws OciError USAGE
 */
export function refuseUnusableSecret(secret: string, what: string): void {
  if (secret === '') throw new OciError('USAGE', `${what} is empty`);
  if (secret.includes('\0')) throw new OciError('USAGE', `the ${what} holds a NUL character`);
  if (/[\r\n]/.test(secret) && !isJsonObject(secret)) {
    throw new OciError('USAGE', `the ${what} holds a line break`, {
      hint: `pass the ${what} only; a single line break at its end is allowed`,
    });
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = parseJson(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
