/** The keychain of the operating system: Secret Service, macOS Keychain, Windows Credential Manager. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { hasKeychainLibrary, loadKeychainLibrary } from './keychain-library.ts';

/** A login, as in the helper protocol: an identity token has the user `<token>`. */
interface KeychainLogin {
  readonly username: string;
  readonly secret: string;
}

/** Logins by registry. A call may wait for the keychain to be unlocked, possibly for ever: the caller sets a time limit. */
export interface Keychain {
  get(registry: string): Promise<KeychainLogin | undefined>;
  set(registry: string, login: KeychainLogin): Promise<void>;
  /** @returns Whether there was one. */
  remove(registry: string): Promise<boolean>;
  list(): Promise<readonly { readonly registry: string; readonly username: string }[]>;
}

/** The name of our entries in the system's keychain program. */
const service = 'ocictl';

/**
 * Why a keychain cannot be used here; undefined if one may be available. Loads no package.
 *
 * @param env The session's variables: without D-Bus the library of the Secret Service would wait for it, or start one.
 */
export function keychainObstacle(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32' && platform !== 'darwin') {
    const { DBUS_SESSION_BUS_ADDRESS: address = '', XDG_RUNTIME_DIR: run = '' } = env;
    if (address === '' && (run === '' || !existsSync(join(run, 'bus')))) return 'this session has no D-Bus';
  }
  return hasKeychainLibrary() ? undefined : 'no optional package for it is installed (keytar, @napi-rs/keyring)';
}

/** @throws OciError UNSUPPORTED if there is none. */
export async function openKeychain(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): Promise<Keychain> {
  const obstacle = keychainObstacle(env, platform);
  if (obstacle !== undefined) throw new OciError('UNSUPPORTED', `there is no keychain here: ${obstacle}`);
  const library = loadKeychainLibrary(platform);
  return {
    async get(registry) {
      const text = await library.getPassword(service, registry);
      return text === null ? undefined : decode(text);
    },
    // The user is part of the secret: with an account per user, a login as another user would leave the earlier one behind.
    set: (registry, login) => library.setPassword(service, registry, JSON.stringify(login)),
    remove: (registry) => library.deletePassword(service, registry),
    async list() {
      const found = await library.findCredentials(service);
      return found.flatMap(({ account, password }) => {
        const login = decode(password);
        return login ? [{ registry: account, username: login.username }] : [];
      });
    },
  };
}

/** Undefined for an entry that another program wrote under our name. */
function decode(text: string): KeychainLogin | undefined {
  try {
    const { username, secret } = parseJson(text) as Partial<Record<string, unknown>>;
    return typeof username === 'string' && typeof secret === 'string' ? { username, secret } : undefined;
  } catch {
    return undefined;
  }
}
