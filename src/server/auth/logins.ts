import { createHmac, randomBytes } from 'node:crypto';
import { bcryptCost, maxBcryptCost } from '../../model/bcrypt-hash.ts';
import { OciError } from '../../model/errors.ts';
import { RecentMap } from '../../model/recent-map.ts';
import type { AskedBy, Passwords } from './passwords.ts';

/** The accounts as they are now: bcrypt hashes by user name. */
type Accounts = () => Promise<ReadonlyMap<string, string>>;

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** bcrypt counts no more; what is longer was never a password. */
const maxPasswordBytes = 1024;

/** Logins that are remembered, so that only the first request of a client waits for bcrypt. */
const maxRemembered = 1000;

/**
 * Compares logins with accounts. Unknown users take as long as wrong passwords.
 *
 * @returns A function that tells whether a login is right; it throws OciError TOOMANYREQUESTS when too many wait, and
 *   CONFIG_INVALID for an account whose hash takes too long.
 */
export function checkLogins(accounts: Accounts): (login: Login, by: AskedBy) => Promise<boolean> {
  // One for all: those that ask while it loads wait for the same.
  let loading: Promise<Passwords> | undefined;
  // Under a key of this run: what is remembered is no password, and nothing to guess one with.
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

/** Reads `Authorization: Basic`. @returns Undefined where there is no login that an account could have. */
export function readBasic(header: string | undefined): Login | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(header ?? '') ?? [];
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : loginOf(text.slice(0, colon), text.slice(colon + 1));
}

/** A login that an account could have; undefined for any other. */
export function loginOf(user: string, password: string): Login | undefined {
  // Where a NUL ends the text, a longer password would pass for its beginning.
  if (/\p{Cc}/u.test(user) || /\p{Cc}/u.test(password)) return undefined;
  if (user === '' || user.includes(':') || Buffer.byteLength(password) >= maxPasswordBytes) return undefined;
  return { user, password };
}

/**
 * A dummy bcrypt hash with the cost of some real account, chosen by the user name: an unknown user takes as long as a known
 * one, also where costs differ.
 */
export function decoyFor(accounts: ReadonlyMap<string, string>, user: string, key: Buffer): string {
  const hashes = [...accounts.values()];
  const chosen = hashes[createHmac('sha256', key).update(user).digest().readUInt32BE() % hashes.length] ?? '$2b$05$';
  return `${chosen.slice(0, 7)}CwTycUXWue0Thq9StjUM0uJ8.k7lRsmW2RzQ5rBpC0tn8qXg9v1yK`;
}
