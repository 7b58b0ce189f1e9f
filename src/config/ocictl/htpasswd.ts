/** Password files in the format of Apache's `htpasswd -B`. */
import { bcryptCost, maxBcryptCost } from '../../model/bcrypt-hash.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { openReloaded } from '../reloaded.ts';

/** What is wrong with a password entry, and how to fix it. Neither text contains the hash or password. */
export function hashProblem(text: unknown): { readonly reason: string; readonly hint: string } | undefined {
  const cost = typeof text === 'string' ? bcryptCost(text) : undefined;
  if (cost === undefined) return { reason: 'is not a bcrypt hash', hint: 'htpasswd -Bn USER' };
  if (cost <= maxBcryptCost) return undefined;
  const reason = `is a bcrypt hash of cost ${cost}: at most ${maxBcryptCost} is accepted, because other logins wait meanwhile`;
  return { reason, hint: 'htpasswd -Bn -C 12 USER' };
}

/**
 * Parses a password file. Empty lines and lines that begin with `#` are skipped. If a user occurs twice, the last line
 * counts.
 *
 * @returns bcrypt hashes by user.
 * @throws OciError CONFIG_INVALID naming file and line. The message contains no hash.
 */
export function parseHtpasswd(text: string, file: string): ReadonlyMap<string, string> {
  const accounts = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const colon = line.indexOf(':');
    const place = `${file}:${index + 1}`;
    if (colon < 1) throw invalid(`${place}: a line must be USER:HASH`);
    const [user, hash] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    const problem = hashProblem(hash);
    if (problem) throw invalid(`${place}: the password of ${quote(user)} ${problem.reason}`);
    accounts.set(user, hash);
  }
  return accounts;
}

interface HtpasswdOptions {
  /** Called once for every invalid change. The earlier accounts stay in effect. */
  readonly warn: (text: string) => void;
}

/**
 * Opens a password file.
 *
 * @returns A function for the current accounts. A change of the file takes effect within a second.
 * @throws OciError CONFIG_INVALID
 */
export function openHtpasswd(
  file: string,
  { warn }: HtpasswdOptions,
): Promise<() => Promise<ReadonlyMap<string, string>>> {
  return openReloaded(file, {
    what: 'password file',
    hint: `make it with: htpasswd -Bc ${file} USER`,
    parse: (text) => parseHtpasswd(text, file),
    meanwhile: 'the earlier accounts stay in effect',
    warn,
  });
}

function invalid(message: string): OciError {
  return new OciError('CONFIG_INVALID', message, { hint: 'set the password again with: htpasswd -B FILE USER' });
}
