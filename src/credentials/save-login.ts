/** Stores a login where the user chose, or in the safest available place. */
import type { DockerConfig } from '../config/docker/docker-config.ts';
import { formatOrigin } from '../config/origin.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { type ConfigFileStore, openConfigFileStore } from './config-file.ts';
import { configuredHelper, helperWithout } from './configured-helper.ts';
import type { Credential } from './credential.ts';
import { openHelperStore } from './helper-store.ts';
import { keychainObstacle } from './keychain.ts';
import { isOnPath } from './on-path.ts';
import { ownHelper } from './own-helper.ts';
import { splitKey } from './registry-key.ts';
import type { StoreOptions } from './store.ts';

const storeChoices = ['file', 'keychain', 'helper'] as const;
export type StoreChoice = (typeof storeChoices)[number];

/** A place of credentials: a file (in plain text), the system's keychain, or a helper by its name. */
export type CredentialPlace =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'keychain' }
  | { readonly kind: 'helper'; readonly name: string };

interface SaveOptions extends StoreOptions {
  readonly dockerConfig: DockerConfig;
  readonly env: NodeJS.ProcessEnv;
  /** Default: the configured helper, else the keychain if one is available, else the file. */
  readonly choice?: StoreChoice | undefined;
  /** Called if the default place could not be used. */
  readonly warn: (text: string) => void;
}

/** Limit for the probe of the default. The user does not know that a keyring would have to be unlocked for it. */
const probeLimitMs = 5000;

/**
 * Stores a credential for a registry or namespace, and configures that it is looked up there from now on.
 *
 * @throws OciError USAGE for a helper that is not configured or a missing keychain; errors of the place.
 */
export async function saveLogin(name: string, credential: Credential, options: SaveOptions): Promise<CredentialPlace> {
  const { dockerConfig, env, signal } = options;
  const file = openConfigFileStore(dockerConfig.file);
  const opts = { signal };
  const choice = options.choice ?? (await defaultChoice(name, options));
  if (choice === 'file') {
    await file.store(name, credential, opts);
    const other = helperWithout(dockerConfig, name);
    if (configuredHelper(dockerConfig, name)) await file.assign(name, other === undefined ? undefined : '', opts);
    return { kind: 'file', file: dockerConfig.file ?? '' };
  }
  if (choice === 'keychain') {
    try {
      return await saveInKeychain(name, credential, file, options);
    } catch (error) {
      if (options.choice || !isOciError(error)) throw error;
      options.warn(`${error.message}: the login is stored in the file instead`);
      return saveLogin(name, credential, { ...options, choice: 'file' });
    }
  }
  const helper = options.choice ? foreignHelper(dockerConfig, name) : configuredHelper(dockerConfig, name);
  if (!helper) {
    throw new OciError('USAGE', `no credential helper is configured for ${name}`, {
      hint: `name one in ${dockerConfig.file ?? 'config.json'} as "credsStore", or choose --store file or --store keychain`,
    });
  }
  await openHelperStore(helper.value, { env, where: formatOrigin(helper.origin) }).store(name, credential, opts);
  if (configuredHelper(dockerConfig, name)?.value !== helper.value) await file.assign(name, undefined, opts);
  await forgetInFile(name, file, opts);
  return helper.value === ownHelper ? { kind: 'keychain' } : { kind: 'helper', name: helper.value };
}

async function saveInKeychain(
  name: string,
  credential: Credential,
  file: ConfigFileStore,
  { dockerConfig, env, signal }: SaveOptions,
): Promise<CredentialPlace> {
  const obstacle = keychainObstacle(env, process.platform);
  if (obstacle !== undefined) {
    throw new OciError('USAGE', `there is no keychain here: ${obstacle}`, { hint: 'choose --store file' });
  }
  await openHelperStore(ownHelper, { env, where: '--store' }).store(name, credential, { signal });
  const helper = configuredHelper(dockerConfig, name);
  // Docker fails if it cannot find a configured helper. Then only the empty entry shows where the credential is.
  const shared = isOnPath(`docker-credential-${ownHelper}`, env) || helperWithout(dockerConfig, name) !== undefined;
  if (helper?.value !== ownHelper) await file.assign(name, shared ? ownHelper : undefined, { signal });
  if (shared || helper?.value === ownHelper) await forgetInFile(name, file, { signal });
  else await file.mark(name, { signal });
  return { kind: 'keychain' };
}

/**
 * An earlier entry in the file is plain text and outdated. For a namespace, an empty entry shows that there is a credential.
 */
async function forgetInFile(name: string, file: ConfigFileStore, opts: StoreOptions): Promise<void> {
  if (splitKey(name).namespace === '') await file.erase(name, opts);
  else await file.mark(name, opts);
}

async function defaultChoice(name: string, { dockerConfig, env, signal }: SaveOptions): Promise<StoreChoice> {
  if (configuredHelper(dockerConfig, name)) return 'helper';
  if (helperWithout(dockerConfig, name) || keychainObstacle(env, process.platform) !== undefined) return 'file';
  try {
    await openHelperStore(ownHelper, { env, where: '', timeoutMs: probeLimitMs }).get(name, { signal });
    return 'keychain';
  } catch (error) {
    if (!isOciError(error)) throw error;
    return 'file';
  }
}

/** A configured helper other than ours, ignoring what is set for exactly this name. */
function foreignHelper(dockerConfig: DockerConfig, name: string) {
  const configured = configuredHelper(dockerConfig, name);
  return configured && configured.value !== ownHelper ? configured : helperWithout(dockerConfig, name);
}
