/** Logins of podman, skopeo and buildah. Their files are read, but never changed. */
import { type AuthEntry, type DockerConfig, loadDockerConfig } from '../config/docker/docker-config.ts';
import { formatOrigin, type Sourced } from '../config/origin.ts';
import { isOciError } from '../model/errors.ts';
import { credentialFromEntries } from './auth-entries.ts';
import { configuredHelper } from './configured-helper.ts';
import type { Credential } from './credential.ts';
import { shownKey, splitKey } from './registry-key.ts';
import type { GetOptions, StoredEntry } from './store.ts';

interface AuthJsonOptions {
  /** In order of precedence. The files need not exist. */
  readonly files: readonly string[];
  /** Gets a credential from a helper that a file names. */
  readonly askHelper: (helper: Sourced<string>, host: string, opts?: GetOptions) => Promise<Credential | undefined>;
  readonly warn: (text: string) => void;
}

/** The reading part of a store. */
interface AuthJson {
  get(name: string, opts?: GetOptions): Promise<Credential | undefined>;
  list(): AsyncIterable<StoredEntry>;
}

/** An unreadable or invalid file is skipped with one warning: a pull must not fail because of another program's file. */
export function createAuthJson({ files, askHelper, warn }: AuthJsonOptions): AuthJson {
  const warned = new Set<string>();
  const skip = (file: string, error: unknown): void => {
    if (!isOciError(error)) throw error;
    if (!warned.has(file)) warn(`${error.message}; skipped`);
    warned.add(file);
  };
  const load = async (file: string): Promise<DockerConfig | undefined> =>
    loadDockerConfig(file).catch((error: unknown) => void skip(file, error));
  return {
    async get(name, opts) {
      for (const file of files) {
        const config = await load(file);
        if (!config) continue;
        try {
          const found = credentialFromEntries(config.auths, name) ?? (await fromHelper(config, name, askHelper, opts));
          if (found) return found;
        } catch (error) {
          skip(file, error);
        }
      }
      return undefined;
    },
    async *list() {
      for (const file of files) {
        for (const entry of (await load(file))?.auths ?? []) if (isUsable(entry)) yield describe(entry);
      }
    },
  };
}

// For a whole registry only: these tools do not use helpers for namespaces.
async function fromHelper(
  { credHelpers }: DockerConfig,
  name: string,
  askHelper: AuthJsonOptions['askHelper'],
  opts?: GetOptions,
): Promise<Credential | undefined> {
  const { host } = splitKey(name);
  const helper = configuredHelper({ credHelpers, credsStore: undefined }, host);
  return helper === undefined ? undefined : askHelper(helper, host, opts);
}

/** False for the empty entry that a helper leaves behind. */
export function isUsable({ username, identityToken, registryToken }: AuthEntry): boolean {
  return (username ?? identityToken ?? registryToken) !== undefined;
}

function describe({ key, username, origin }: AuthEntry): StoredEntry {
  return { host: shownKey(key), ...(username !== undefined && { username }), source: formatOrigin(origin) };
}
