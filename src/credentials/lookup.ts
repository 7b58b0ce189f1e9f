/** Where credentials are looked for, in Docker's order. */
import type { AuthEntry, DockerConfig } from '../config/docker-config.ts';
import { formatOrigin, type Sourced } from '../config/origin.ts';
import { isOciError } from '../model/errors.ts';
import { credentialFromEntries } from './auth-entries.ts';
import { createConfigFileStore } from './config-file.ts';
import { createHelperStore } from './helper-store.ts';
import { convertToHostname, exactKeys } from './registry-key.ts';
import type { CredentialStore } from './store.ts';

export interface CredentialLookupOptions {
  readonly dockerConfig: DockerConfig;
  /** The entries of `DOCKER_AUTH_CONFIG`. */
  readonly dockerAuthConfig?: readonly AuthEntry[] | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Told once about each helper that does not work. */
  readonly warn: (text: string) => void;
  readonly helperTimeoutMs?: number | undefined;
}

/**
 * `DOCKER_AUTH_CONFIG`, then the registry's helper in `credHelpers`, then `credsStore`, then `auths` of config.json. A
 * helper that is configured for a registry is the only one asked: what it does not know is asked for anonymously, and so
 * is everything when it does not work, after one warning. Changes go to the helper, or else to the file.
 *
 * @throws OciError (when changing) what the helper or the file says.
 */
export function createCredentialLookup(options: CredentialLookupOptions): CredentialStore {
  const { dockerConfig, dockerAuthConfig = [], env, warn, helperTimeoutMs: timeoutMs } = options;
  const file = createConfigFileStore(dockerConfig.file);
  const helpers = new Map<string, CredentialStore>();
  const helper = ({ value: name, origin }: Sourced<string>): CredentialStore => {
    const made = helpers.get(name) ?? createHelperStore(name, { env, where: formatOrigin(origin), timeoutMs });
    helpers.set(name, made);
    return made;
  };
  const helperOf = (host: string): Sourced<string> | undefined => configuredHelper(dockerConfig, host);
  const broken = new Set<string>();
  return {
    async get(host, opts) {
      const given = credentialFromEntries(dockerAuthConfig, host);
      if (given) return given;
      const name = helperOf(host);
      if (!name) return file.get(host, opts);
      // A helper that failed once is not waited for again in this run.
      if (broken.has(name.value)) return undefined;
      try {
        return await helper(name).get(host, opts);
      } catch (error) {
        if (!isOciError(error)) throw error;
        const first = !broken.has(name.value);
        broken.add(name.value);
        const hint = error.hint === undefined ? '' : ` ${error.hint}`;
        if (first) warn(`${error.message}; going on without credentials.${hint}`);
        return undefined;
      }
    },
    async store(host, credential, opts) {
      const name = helperOf(host);
      if (!name) return file.store(host, credential, opts);
      await helper(name).store(host, credential, opts);
      // What lay in the file before the helper was set up is in clear text, and out of date now.
      await file.erase(host, opts);
    },
    async erase(host, opts) {
      const name = helperOf(host);
      const fromHelper = name ? await helper(name).erase(host, opts) : false;
      // Also from the file: an entry from before the helper was set up would come back with it.
      const fromFile = await file.erase(host, opts);
      return fromHelper || fromFile;
    },
    async *list(opts) {
      const seen = new Set<string>();
      for (const { key, username, origin } of dockerAuthConfig) {
        const host = convertToHostname(key);
        seen.add(host);
        yield { host, ...(username !== undefined && { username }), source: formatOrigin(origin) };
      }
      const names = new Map([...dockerConfig.credHelpers.values()].map((name) => [name.value, name]));
      if (dockerConfig.credsStore) names.set(dockerConfig.credsStore.value, dockerConfig.credsStore);
      names.delete('');
      for (const store of [...[...names.values()].map(helper), file]) {
        for await (const entry of store.list(opts)) {
          if (seen.has(entry.host)) continue;
          seen.add(entry.host);
          yield entry;
        }
      }
    },
  };
}

/** The helper that keeps a registry's credentials; undefined: the file does. */
export function configuredHelper(
  { credHelpers, credsStore }: Pick<DockerConfig, 'credHelpers' | 'credsStore'>,
  host: string,
): Sourced<string> | undefined {
  const named = exactKeys(host).map((key) => credHelpers.get(key));
  const found = named.find((name) => name !== undefined) ?? credsStore;
  // An empty name in credHelpers keeps a registry in the file in spite of a credsStore.
  return found?.value === '' ? undefined : found;
}
