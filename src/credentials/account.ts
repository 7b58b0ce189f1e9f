import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import type { Credential } from './credential.ts';

interface Account {
  readonly username: string;
  readonly password: string;
}

/**
 * A user and a password that somebody gave.
 *
 * @param source Where, for messages.
 * @throws OciError USAGE for what cannot be one: it would reach the registry as something else.
 */
export function passwordCredential({ username, password }: Account, source: string): PasswordCredential {
  const refuse = (text: string, hint?: string): never => {
    throw new OciError('USAGE', text, { hint });
  };
  if (username === '') refuse('username is empty');
  if (/[\0\r\n]/.test(username)) refuse('the username holds a line break or a NUL character');
  if (username.includes(':'))
    refuse('a username cannot hold a colon', 'what stands behind it would become the password');
  refuseUnusableSecret(password, 'password');
  return { kind: 'password', username, password, source };
}

export type PasswordCredential = Extract<Credential, { readonly kind: 'password' }>;

/**
 * A line break or a NUL is nearly always a file read too far, and some helpers would store half of it. Google's
 * `_json_key` takes a whole JSON document for the password, line breaks included.
 *
 * @throws OciError USAGE
 */
export function refuseUnusableSecret(secret: string, what: string): void {
  if (secret === '') throw new OciError('USAGE', `${what} is empty`);
  if (secret.includes('\0')) throw new OciError('USAGE', `the ${what} holds a NUL character`);
  if (/[\r\n]/.test(secret) && !isJsonObject(secret)) {
    throw new OciError('USAGE', `the ${what} holds a line break`, {
      hint: `pass the ${what} alone; one line ending behind it does no harm`,
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
