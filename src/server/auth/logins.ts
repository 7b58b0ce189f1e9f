import { createHmac, randomBytes } from 'node:crypto';
import { bcryptCost, maxBcryptCost } from '../../model/bcrypt-hash.ts';
import { OciError } from '../../model/errors.ts';
import { RecentMap } from '../../model/recent-map.ts';
import type { AskedBy, Passwords } from './passwords.ts';

/** Returns the current accounts: bcrypt hashes by user name. */
type Accounts = () => Promise<ReadonlyMap<string, string>>;

export interface Login {
  /** As the client gave it. */
  readonly user: string;
  /** As the client gave it. A secret. */
  readonly password: string;
}

/** Longer passwords are refused; bcrypt only uses the first 72 bytes. */
const maxPasswordBytes = 1024;

/** Logins that are remembered, so that only a client's first request has to wait for bcrypt. */
const maxRemembered = 1000;

/**
 * Checks logins against accounts. An unknown user takes as long to refuse as a wrong password.
 *
 * @returns A function that tells whether a login is correct. It throws OciError TOOMANYREQUESTS if too many logins
 * wait, and CONFIG_INVALID for an account whose hash takes too long.
 */
export function checkLogins(accounts: Accounts): (login: Login, by: AskedBy) => Promise<boolean> {
  // Loaded once: logins during the import wait for the same promise.
  let loading: Promise<Passwords> | undefined;
  // An HMAC with a key of this process is remembered, so that no password is kept and nothing that helps to guess one.
  const key = randomBytes(32);
  const remembered = new RecentMap<string, true>(maxRemembered);
  return async ({ user, password }, by) => {
    const known = await accounts();
    const hash = known.get(user);
    const mark = createHmac('sha256', key)
      .update(JSON.stringify([user, password, hash]))
      .digest('base64');
    if (hash === undefined || !remembered.has(mark)) {
      loading ??= import('./passwords.ts').then(({ Passwords }) => new Passwords());
      const compared = hash ?? decoyFor(known, user, key);
      if ((bcryptCost(compared) ?? 0) > maxBcryptCost) {
        throw new OciError('CONFIG_INVALID', `a password has a bcrypt hash of a cost above ${maxBcryptCost}`);
      }
      const same = await (await loading).matches(password, compared, by);
      if (!same || hash === undefined) return false;
    }
    remembered.set(mark, true);
    return true;
  };
}

/** Parses `Authorization: Basic`. @returns Undefined if it holds no login that an account could have. */
export function readBasic(header: string | undefined): Login | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(header ?? '') ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : loginOf(text.slice(0, colon), text.slice(colon + 1));
}

/** A login, or undefined if no account could have it. */
export function loginOf(user: string, password: string): Login | undefined {
  // bcrypt may stop at a NUL character: a longer password would then match its beginning.
  if (/\p{Cc}/u.test(user) || /\p{Cc}/u.test(password)) return undefined;
  if (user === '' || user.includes(':') || Buffer.byteLength(password) >= maxPasswordBytes) return undefined;
  return { user, password };
}

/**
 * A dummy bcrypt hash with the cost of some real account (chosen by the user name), so unknown users take as long, even
 * if costs differ.
 */
export function decoyFor(accounts: ReadonlyMap<string, string>, user: string, key: Buffer): string {
  const hashes = [...accounts.values()];
  const chosen = hashes[createHmac('sha256', key).update(user).digest().readUInt32BE() % hashes.length] ?? '$2b$05$';
  return `${chosen.slice(0, 7)}CwTycUXWue0Thq9StjUM0uJ8.k7lRsmW2RzQ5rBpC0tn8qXg9v1yK`;
}
