import { loadDockerConfig } from '../config/docker-config.ts';
import { OciError } from '../model/errors.ts';
import { credentialFromEntries } from './auth-entries.ts';
import type { Credential } from './credential.ts';
import { type ConfigObject, editConfig } from './edit-config.ts';
import { authConfigKey, convertToHostname, keyMatchesHost } from './registry-key.ts';
import type { CredentialStore } from './store.ts';

/**
 * The `auths` of Docker's config.json, read at every call: another process may have logged in meanwhile.
 *
 * @param file Need not exist.
 */
export function createConfigFileStore(file: string): CredentialStore {
  return {
    get: async (host) => credentialFromEntries((await loadDockerConfig(file)).auths, host),
    async store(host, credential, opts) {
      const fields = encode(credential);
      const key = authConfigKey(host);
      await editConfig(
        file,
        (config) => {
          const auths = members(config['auths']);
          const kept = Object.entries(members(auths[key])).filter(([name]) => !secretFields.has(name));
          return { ...config, auths: { ...auths, [key]: { ...Object.fromEntries(kept), ...fields } } };
        },
        opts,
      );
    },
    async erase(host, opts) {
      // Where there is nothing to erase, a directory that may not be written to is no obstacle.
      if (!(await loadDockerConfig(file)).auths.some(({ key }) => keyMatchesHost(key, host))) return false;
      let found = false;
      await editConfig(
        file,
        (config) => {
          const auths = Object.entries(members(config['auths']));
          const kept = auths.filter(([key]) => !keyMatchesHost(key, host));
          found = kept.length < auths.length;
          return found ? { ...config, auths: Object.fromEntries(kept) } : undefined;
        },
        opts,
      );
      return found;
    },
    async *list() {
      for (const { key, username, origin } of (await loadDockerConfig(file)).auths) {
        yield { host: convertToHostname(key), ...(username !== undefined && { username }), source: origin.name };
      }
    },
  };
}

const secretFields = new Set(['auth', 'username', 'password', 'identitytoken', 'registrytoken']);

function encode(credential: Credential): ConfigObject {
  if (credential.kind === 'identity-token') {
    const { token, username } = credential;
    // containers/image passes over an entry that has no "auth".
    return { ...(username !== undefined && { auth: encodeAuth(username, '') }), identitytoken: token };
  }
  if (credential.kind === 'registry-token') return { registrytoken: credential.token };
  return { auth: encodeAuth(credential.username, credential.password) };
}

function encodeAuth(username: string, password: string): string {
  // Readers split at the first colon and cut NULs off the end, so these would come back as another credential.
  if (username === '' || /[:\0]/.test(username)) {
    throw new OciError('USAGE', 'a user name cannot be empty or hold a colon');
  }
  if (password.includes('\0')) throw new OciError('USAGE', 'a password cannot hold a NUL character');
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function members(value: unknown): ConfigObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ConfigObject) : {};
}
