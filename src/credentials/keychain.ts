/** The keychain of the operating system: Secret Service, macOS Keychain, Windows Credential Manager. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';

/** One login, as the helper protocol has it: the user of an identity token is `<token>`. */
interface KeychainLogin {
  readonly username: string;
  readonly secret: string;
}

/** Logins by registry. A call may wait for somebody to unlock it, or for ever: the caller sets a limit. */
export interface Keychain {
  get(registry: string): Promise<KeychainLogin | undefined>;
  set(registry: string, login: KeychainLogin): Promise<void>;
  /** @returns Whether there was one. */
  remove(registry: string): Promise<boolean>;
  list(): Promise<readonly { readonly registry: string; readonly username: string }[]>;
}

/** The part of keytar that is used. Its own types are there only where it could be installed. */
interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
  findCredentials(service: string): Promise<{ account: string; password: string }[]>;
}

/** What our entries are called in a keychain's own window. */
const service = 'ocictl';
const keytarName = 'keytar';

/**
 * Why there cannot be a keychain here; undefined where one may answer. Loads nothing.
 *
 * @param env Of the session: without D-Bus, the Secret Service's library would wait for it, or start one.
 */
export function keychainObstacle(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32' && platform !== 'darwin') {
    const { DBUS_SESSION_BUS_ADDRESS: address = '', XDG_RUNTIME_DIR: run = '' } = env;
    if (address === '' && (run === '' || !existsSync(join(run, 'bus')))) return 'this session has no D-Bus';
  }
  try {
    createRequire(import.meta.url).resolve(keytarName);
    return undefined;
  } catch {
    return 'the optional package keytar is not installed';
  }
}

/** @throws OciError UNSUPPORTED where there is none. */
export async function openKeychain(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): Promise<Keychain> {
  const obstacle = keychainObstacle(env, platform);
  if (obstacle !== undefined) throw new OciError('UNSUPPORTED', `there is no keychain here: ${obstacle}`);
  const keytar = await loadKeytar();
  return {
    async get(registry) {
      const text = await keytar.getPassword(service, registry);
      return text === null ? undefined : decode(text);
    },
    // The user stands in the secret: an account of its own for each user would leave the earlier one behind.
    set: (registry, login) => keytar.setPassword(service, registry, JSON.stringify(login)),
    remove: (registry) => keytar.deletePassword(service, registry),
    async list() {
      const found = await keytar.findCredentials(service);
      return found.flatMap(({ account, password }) => {
        const login = decode(password);
        return login ? [{ registry: account, username: login.username }] : [];
      });
    },
  };
}

async function loadKeytar(): Promise<Keytar> {
  try {
    const loaded = (await import(keytarName)) as { readonly default: Keytar };
    return loaded.default;
  } catch (error) {
    throw new OciError('UNSUPPORTED', 'there is no keychain here: keytar cannot be loaded', {
      hint: 'on Linux it needs libsecret-1',
      cause: error,
    });
  }
}

/** undefined for what another program has put under our name. */
function decode(text: string): KeychainLogin | undefined {
  try {
    const { username, secret } = parseJson(text) as Partial<Record<string, unknown>>;
    return typeof username === 'string' && typeof secret === 'string' ? { username, secret } : undefined;
  } catch {
    return undefined;
  }
}
