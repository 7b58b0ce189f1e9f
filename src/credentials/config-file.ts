import { loadDockerConfig } from '../config/docker/docker-config.ts';
import { checkArgument } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { credentialFromEntries } from './auth-entries.ts';
import type { Credential } from './credential.ts';
import { type ConfigObject, editConfig } from './edit-config.ts';
import { authConfigKey, keyMatches, shownKey } from './registry-key.ts';
import type { CredentialStore, StoreOptions } from './store.ts';

export interface ConfigFileStore extends CredentialStore {
  /** Adds an empty entry, which shows that a helper has the credential. */
  mark(name: string, opts?: StoreOptions): Promise<void>;
  /**
   * Sets in `credHelpers` where exactly this name is stored: a helper, the file (an empty name), or the default (undefined).
   */
  assign(name: string, helper: string | undefined, opts?: StoreOptions): Promise<void>;
}

/**
 * The `auths` of Docker's config.json. The file is read at every call, because another process may have logged in.
 *
 * @param file Need not exist. Undefined if there is no location for one: changes fail with STORAGE then.
 */
export function openConfigFileStore(file: string | undefined): ConfigFileStore {
  if (file !== undefined) checkArgument('openConfigFileStore', 'the file', file, 'string');
  const setEntry = (name: string, fields: ConfigObject, opts?: StoreOptions): Promise<void> =>
    editConfig(
      placeFor(file),
      (config) => {
        const key = authConfigKey(name);
        const auths = members(config['auths']);
        const kept = Object.entries(members(auths[key])).filter(([field]) => !secretFields.has(field.toLowerCase()));
        return { ...config, auths: { ...auths, [key]: { ...Object.fromEntries(kept), ...fields } } };
      },
      opts,
    );
  return {
    get: async (name) => credentialFromEntries((await loadDockerConfig(file)).auths, name),
    // A credential that cannot be encoded is refused before the file is changed.
    store: async (name, credential, opts) => setEntry(name, encode(credential), opts),
    mark: (name, opts) => setEntry(name, {}, opts),
    assign: (name, helper, opts) =>
      editConfig(
        placeFor(file),
        ({ credHelpers, ...config }) => {
          const others = Object.entries(members(credHelpers)).filter(([key]) => !keyMatches(key, name));
          const all = helper === undefined ? others : [...others, [authConfigKey(name), helper] as const];
          return all.length === 0 ? config : { ...config, credHelpers: Object.fromEntries(all) };
        },
        opts,
      ),
    async erase(host, opts) {
      // If there is nothing to erase, a directory that is not writable does not matter.
      if (!(await loadDockerConfig(file)).auths.some(({ key }) => keyMatches(key, host))) return false;
      let found = false;
      await editConfig(
        placeFor(file),
        (config) => {
          const auths = Object.entries(members(config['auths']));
          const kept = auths.filter(([key]) => !keyMatches(key, host));
          found = kept.length < auths.length;
          return found ? { ...config, auths: Object.fromEntries(kept) } : undefined;
        },
        opts,
      );
      return found;
    },
    async *list() {
      for (const { key, username, origin } of (await loadDockerConfig(file)).auths) {
        yield { host: shownKey(key), ...(username !== undefined && { username }), source: origin.name };
      }
    },
  };
}

function placeFor(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new OciError('STORAGE', 'there is no place for config.json: this user has no home directory', {
    hint: 'name a directory with $DOCKER_CONFIG or --config',
  });
}

const secretFields = new Set(['auth', 'username', 'password', 'identitytoken', 'registrytoken']);

function encode(credential: Credential): ConfigObject {
  if (credential.kind === 'identity-token') {
    const { token, username } = credential;
    // containers/image skips an entry without "auth".
    return { ...(username !== undefined && { auth: encodeAuth(username, '') }), identitytoken: token };
  }
  if (credential.kind === 'registry-token') return { registrytoken: credential.token };
  return { auth: encodeAuth(credential.username, credential.password) };
}

function encodeAuth(username: string, password: string): string {
  // Readers split at the first colon and remove NULs at the end, so these would be read as another credential.
  if (username === '' || /[:\0]/.test(username)) {
    throw new OciError('USAGE', 'a user name cannot be empty or hold a colon');
  }
  if (password.includes('\0')) throw new OciError('USAGE', 'a password cannot hold a NUL character');
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function members(value: unknown): ConfigObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ConfigObject) : {};
}
