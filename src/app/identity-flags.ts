/** Credentials for one run in place of stored ones. Part of the composition root. */
import { type PasswordCredential, passwordCredential } from '../credentials/account.ts';
import { OciError } from '../model/errors.ts';
import type { Identity } from '../service/open/endpoint-registry.ts';

/** The flags that give credentials for one run. `creds` is `user:password`. */
export interface CredentialFlags {
  readonly creds?: string | undefined;
  readonly username?: string | undefined;
  /** The password is read from standard input. */
  readonly passwordStdin?: boolean | undefined;
  /** A registry without credentials here is accessed anonymously. */
  readonly anonymous?: boolean | undefined;
}

/**
 * Reads the credentials of the command line. Messages never contain them.
 *
 * @param readPassword Reads standard input.
 * @throws OciError USAGE
 */
export async function readIdentity(
  { creds, username, passwordStdin = false, anonymous = false }: CredentialFlags,
  readPassword: () => Promise<string>,
): Promise<PasswordCredential | Extract<Identity, string> | undefined> {
  const ways = [creds !== undefined, username !== undefined || passwordStdin, anonymous && creds === undefined];
  if (ways.filter((given) => given).length > 1) {
    throw new OciError('USAGE', 'conflicting options: give one of --creds, --username and --anonymous');
  }
  if (creds !== undefined) return passwordCredential(split(creds), source);
  if (passwordStdin && username === undefined) {
    throw new OciError('USAGE', 'the --password-stdin option requires --username to be set');
  }
  if (username === undefined) return anonymous ? 'anonymous' : undefined;
  if (!passwordStdin) {
    throw new OciError('USAGE', 'the --username option requires --password-stdin to be set', {
      hint: "to be asked for the password, and to keep it, use 'ocictl login'",
    });
  }
  return passwordCredential({ username: username.trim(), password: await readPassword() }, source);
}

const source = 'the command line';

// Split at the first colon, as Docker's files do.
function split(creds: string): { readonly username: string; readonly password: string } {
  const colon = creds.indexOf(':');
  if (colon > 0) return { username: creds.slice(0, colon), password: creds.slice(colon + 1) };
  throw new OciError('USAGE', 'the credentials given are not of the form USER:PASSWORD');
}
