/** Where credentials are looked up, in Docker's order, and where they are stored. */

import { type AuthEntry, type DockerConfig, loadDockerConfig } from '../config/docker/docker-config.ts';
import { formatOrigin, type Sourced } from '../config/origin.ts';
import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { isOciError, type OciError } from '../model/errors.ts';
import { credentialFromEntries, credentialOfName } from './auth-entries.ts';
import { createAuthJson, isUsable } from './auth-json.ts';
import { openConfigFileStore } from './config-file.ts';
import { configuredHelper } from './configured-helper.ts';
import type { Credential } from './credential.ts';
import { neverRan } from './helper-program.ts';
import { openHelperStore } from './helper-store.ts';
import { keychainObstacle } from './keychain.ts';
import { ownHelper } from './own-helper.ts';
import { enclosingNames, keyMatches, literalKeys, otherSpelling, shownKey, splitKey } from './registry-key.ts';
import type { CredentialStore, GetOptions, StoredEntry, StoreOptions } from './store.ts';

export interface CredentialLookupOptions {
  /** What config.json says. */
  readonly dockerConfig: DockerConfig;
  /** The entries of `DOCKER_AUTH_CONFIG`. */
  readonly dockerAuthConfig?: readonly AuthEntry[] | undefined;
  /** The files of podman and skopeo, in order of precedence. */
  readonly authFiles?: readonly string[] | undefined;
  /** The environment of helpers. */
  readonly env: NodeJS.ProcessEnv;
  /** Called once for each helper or file that does not work. */
  readonly warn: (text: string) => void;
  /** How long a helper may take, in milliseconds. Default 30 000. */
  readonly helperTimeoutMs?: number | undefined;
  /** Whether helpers and the keychain are asked, which may prompt. Without them their registries are accessed anonymously. Default true. */
  readonly helpers?: boolean | undefined;
}

const lookupShape: Shape<CredentialLookupOptions> = {
  dockerConfig: 'object',
  dockerAuthConfig: 'array',
  authFiles: 'array',
  env: 'object',
  warn: 'function',
  helperTimeoutMs: 'number',
  helpers: 'boolean',
};

/**
 * Credentials are looked up in `DOCKER_AUTH_CONFIG`, then with the registry's helper in `credHelpers`, then
 * `credsStore`, then in `auths` of config.json, then in auth.json of podman and skopeo. In each, the longest namespace
 * counts. If a helper is configured for a registry, only it is used: if it has no credential, or fails (with one
 * warning), the registry is accessed anonymously. Changes go to the helper, or else to config.json.
 *
 * @throws OciError from changes: the error of the helper or file.
 */
export function createCredentialLookup(options: CredentialLookupOptions): CredentialStore {
  checkOptions('createCredentialLookup', options, lookupShape, ['dockerConfig', 'env', 'warn']);
  return new CredentialLookup(options);
}

const keychain: Sourced<string> = { value: ownHelper, origin: { kind: 'default', name: 'the keychain' } };

class CredentialLookup implements CredentialStore {
  readonly #options: CredentialLookupOptions;
  readonly #file;
  readonly #authJson;
  readonly #helpers = new Map<string, CredentialStore>();
  readonly #broken = new Set<string>();
  /** Names that were logged out of since config.json was read. */
  readonly #forgotten = new Set<string>();

  constructor(options: CredentialLookupOptions) {
    const { dockerConfig, authFiles: files = [], warn } = options;
    this.#options = options;
    this.#file = openConfigFileStore(dockerConfig.file);
    this.#authJson = createAuthJson({ files, warn, askHelper: (...asked) => this.#ask(...asked) });
  }

  async get(name: string, opts?: GetOptions): Promise<Credential | undefined> {
    const { dockerConfig, dockerAuthConfig = [] } = this.#options;
    const given = credentialFromEntries(dockerAuthConfig, name);
    if (given) return given;
    const { auths } = await loadDockerConfig(dockerConfig.file);
    const names = enclosingNames(name);
    for (const enclosing of names.flatMap((each) => [each, otherSpelling(each) ?? []].flat())) {
      const helper = configuredHelper(dockerConfig, enclosing);
      // A helper is queried for a namespace or another spelling only if a file says that it has one: most queries would
      // be in vain.
      const isHost = splitKey(enclosing).namespace === '' && names.includes(enclosing);
      if (!isHost && !this.#isNamed(enclosing, auths)) continue;
      const found = helper
        ? await this.#ask(helper, enclosing, opts)
        : (credentialOfName(auths, enclosing) ?? (await this.#fromKeychain(enclosing, auths, opts)));
      if (found) return found;
      if (this.#options.helpers !== false && this.#isAssigned(enclosing)) this.#warnOfEmptyKeychain(enclosing);
    }
    return configuredHelper(dockerConfig, splitKey(name).host) ? undefined : this.#authJson.get(name, opts);
  }

  async store(name: string, credential: Credential, opts?: StoreOptions): Promise<void> {
    const helper = configuredHelper(this.#options.dockerConfig, name);
    if (!helper) return this.#file.store(name, credential, opts);
    await this.#helper(helper).store(name, credential, opts);
    // An entry in the file from before the helper was set up is plain text, and outdated now.
    if (splitKey(name).namespace === '') await this.#file.erase(name, opts);
    else await this.#file.mark(name, opts);
  }

  async erase(name: string, opts?: StoreOptions): Promise<boolean> {
    const { auths } = await loadDockerConfig(this.#options.dockerConfig.file);
    const other = otherSpelling(name);
    // It would still be found by its other spelling.
    const fromOther = other !== undefined && this.#isNamed(other, auths) && (await this.#erase(other, auths, opts));
    return (await this.#erase(name, auths, opts)) || fromOther;
  }

  async #erase(name: string, auths: readonly AuthEntry[], opts?: StoreOptions): Promise<boolean> {
    const { dockerConfig } = this.#options;
    const marked = this.#isMarked(name, auths);
    const helper = configuredHelper(dockerConfig, name) ?? (marked ? keychain : undefined);
    const fromHelper = helper ? await this.#helper(helper).erase(name, opts) : false;
    if (this.#isAssigned(name)) {
      await this.#file.assign(name, undefined, opts);
      if (!fromHelper) this.#warnOfEmptyKeychain(name);
      this.#forgotten.add(shownKey(name));
    }
    // Also from the file: an entry from before the helper was set up would be used again.
    const fromFile = await this.#file.erase(name, opts);
    return fromHelper || (fromFile && !marked);
  }

  async *list(opts?: StoreOptions): AsyncIterable<StoredEntry> {
    const { dockerConfig, dockerAuthConfig = [] } = this.#options;
    const seen = new Set<string>();
    for (const { key, username, origin } of dockerAuthConfig) {
      const host = shownKey(key);
      seen.add(host);
      yield { host, ...(username !== undefined && { username }), source: formatOrigin(origin) };
    }
    const names = new Map([...dockerConfig.credHelpers.values()].map((name) => [name.value, name]));
    if (dockerConfig.credsStore) names.set(dockerConfig.credsStore.value, dockerConfig.credsStore);
    names.delete('');
    const helpers = [...names.values()].map((name) => this.#listOf(name, opts));
    for (const entries of [...helpers, this.#file.list(opts), this.#authJson.list()]) {
      for await (const entry of entries) {
        if (seen.has(entry.host)) continue;
        seen.add(entry.host);
        yield entry;
      }
    }
  }

  /**
   * Empty if the helper does not support listing, as several do not. A warning is given only if it could not run at all.
   */
  async *#listOf(helper: Sourced<string>, opts?: StoreOptions): AsyncIterable<StoredEntry> {
    try {
      yield* this.#helper(helper).list(opts);
    } catch (error) {
      if (!isOciError(error)) throw error;
      if (neverRan(error)) this.#warnOfBroken(helper, error);
    }
  }

  /** Whether a file has an entry for exactly this name. */
  #isNamed(name: string, auths: readonly AuthEntry[]): boolean {
    const { credHelpers } = this.#options.dockerConfig;
    const said = auths.some(({ key }) => shownKey(key) === shownKey(name));
    return said || literalKeys(name).some((key) => credHelpers.has(key));
  }

  /** Whether config.json assigns exactly this name to the keychain. */
  #isAssigned(name: string): boolean {
    const { credHelpers } = this.#options.dockerConfig;
    const said = literalKeys(name).some((key) => credHelpers.get(key)?.value === ownHelper);
    return said && !this.#forgotten.has(shownKey(name));
  }

  // A locked keyring behaves as if it were empty.
  #warnOfEmptyKeychain(name: string): void {
    if (this.#broken.has(ownHelper)) return;
    this.#broken.add(ownHelper);
    const shown = shownKey(name);
    this.#options.warn(`the keychain has no login for ${shown}, although config.json names it: is its keyring locked?`);
  }

  /** Whether there is an empty entry, which may mean that our keychain has the credential. */
  #isMarked(name: string, auths: readonly AuthEntry[]): boolean {
    const marked = auths.some((entry) => keyMatches(entry.key, name) && !isUsable(entry) && entry.fault === undefined);
    return marked && keychainObstacle(this.#options.env, process.platform) === undefined;
  }

  // Without a warning, because Docker leaves empty entries as well: the keychain may have no credential.
  async #fromKeychain(
    name: string,
    auths: readonly AuthEntry[],
    opts: GetOptions | undefined,
  ): Promise<Credential | undefined> {
    return this.#isMarked(name, auths) ? this.#ask(keychain, name, { ...opts, quiet: true }) : undefined;
  }

  #helper({ value: name, origin }: Sourced<string>): CredentialStore {
    const { env, helperTimeoutMs: timeoutMs } = this.#options;
    const made = this.#helpers.get(name) ?? openHelperStore(name, { env, where: formatOrigin(origin), timeoutMs });
    this.#helpers.set(name, made);
    return made;
  }

  /** Undefined if the helper does not work as well. That is reported once, and the helper is not used again in this run. */
  async #ask(
    helper: Sourced<string>,
    name: string,
    opts: GetOptions & { readonly quiet?: boolean } = {},
  ): Promise<Credential | undefined> {
    if (this.#options.helpers === false || this.#broken.has(helper.value)) return undefined;
    try {
      return await this.#helper(helper).get(name, opts);
    } catch (error) {
      if (!isOciError(error)) throw error;
      if (opts.quiet) this.#broken.add(helper.value);
      else this.#warnOfBroken(helper, error);
      return undefined;
    }
  }

  #warnOfBroken(helper: Sourced<string>, error: OciError): void {
    if (this.#broken.has(helper.value)) return;
    this.#broken.add(helper.value);
    const hint = error.hint === undefined ? '' : `: ${error.hint}`;
    this.#options.warn(`${error.message}; continuing without credentials${hint}`);
  }
}
