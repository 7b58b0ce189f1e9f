/** Where credentials are looked for, in Docker's order, and kept. */
import { type AuthEntry, type DockerConfig, loadDockerConfig } from '../config/docker/docker-config.ts';
import { formatOrigin, type Sourced } from '../config/origin.ts';
import { isOciError, type OciError } from '../model/errors.ts';
import { credentialFromEntries, credentialOfName } from './auth-entries.ts';
import { createAuthJson, isUsable } from './auth-json.ts';
import { createConfigFileStore } from './config-file.ts';
import { configuredHelper } from './configured-helper.ts';
import type { Credential } from './credential.ts';
import { neverRan } from './helper-program.ts';
import { createHelperStore } from './helper-store.ts';
import { keychainObstacle } from './keychain.ts';
import { ownHelper } from './own-helper.ts';
import { enclosingNames, keyMatches, literalKeys, otherSpelling, shownKey, splitKey } from './registry-key.ts';
import type { CredentialStore, GetOptions, StoredEntry, StoreOptions } from './store.ts';

export interface CredentialLookupOptions {
  readonly dockerConfig: DockerConfig;
  /** The entries of `DOCKER_AUTH_CONFIG`. */
  readonly dockerAuthConfig?: readonly AuthEntry[] | undefined;
  /** The files of podman and skopeo, most important first. */
  readonly authFiles?: readonly string[] | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Told once about each helper or file that does not work. */
  readonly warn: (text: string) => void;
  readonly helperTimeoutMs?: number | undefined;
}

/**
 * `DOCKER_AUTH_CONFIG`, then the registry's helper in `credHelpers`, then `credsStore`, then `auths` of config.json, then
 * the auth.json of podman and skopeo. In each of them the longest namespace counts. A helper that is configured for a
 * registry is the only one asked: what it does not know is asked for anonymously, and so is everything when it does not
 * work, after one warning. Changes go to the helper, or else to config.json.
 *
 * @throws OciError (when changing) what the helper or the file says.
 */
export function createCredentialLookup(options: CredentialLookupOptions): CredentialStore {
  return new CredentialLookup(options);
}

const keychain: Sourced<string> = { value: ownHelper, origin: { kind: 'default', name: 'the keychain' } };

class CredentialLookup implements CredentialStore {
  readonly #options: CredentialLookupOptions;
  readonly #file;
  readonly #authJson;
  readonly #helpers = new Map<string, CredentialStore>();
  readonly #broken = new Set<string>();
  /** What was logged out of since config.json was read. */
  readonly #forgotten = new Set<string>();

  constructor(options: CredentialLookupOptions) {
    const { dockerConfig, authFiles: files = [], warn } = options;
    this.#options = options;
    this.#file = createConfigFileStore(dockerConfig.file);
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
      // A helper is asked for a namespace or another spelling only where something says that it has one: most calls would
      // be for nothing.
      const isHost = splitKey(enclosing).namespace === '' && names.includes(enclosing);
      if (!isHost && !this.#isNamed(enclosing, auths)) continue;
      const found = helper
        ? await this.#ask(helper, enclosing, opts)
        : (credentialOfName(auths, enclosing) ?? (await this.#fromKeychain(enclosing, auths, opts)));
      if (found) return found;
      if (this.#isAssigned(enclosing)) this.#warnOfEmptyKeychain(enclosing);
    }
    return configuredHelper(dockerConfig, splitKey(name).host) ? undefined : this.#authJson.get(name, opts);
  }

  async store(name: string, credential: Credential, opts?: StoreOptions): Promise<void> {
    const helper = configuredHelper(this.#options.dockerConfig, name);
    if (!helper) return this.#file.store(name, credential, opts);
    await this.#helper(helper).store(name, credential, opts);
    // What lay in the file before the helper was set up is in clear text, and out of date now.
    if (splitKey(name).namespace === '') await this.#file.erase(name, opts);
    else await this.#file.mark(name, opts);
  }

  async erase(name: string, opts?: StoreOptions): Promise<boolean> {
    const { auths } = await loadDockerConfig(this.#options.dockerConfig.file);
    const other = otherSpelling(name);
    // By the other spelling it would still be found.
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
    // Also from the file: an entry from before the helper was set up would come back with it.
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

  /** Nothing where a helper cannot list, as several cannot; told is what keeps it from running at all. */
  async *#listOf(helper: Sourced<string>, opts?: StoreOptions): AsyncIterable<StoredEntry> {
    try {
      yield* this.#helper(helper).list(opts);
    } catch (error) {
      if (!isOciError(error)) throw error;
      if (neverRan(error)) this.#warnOfBroken(helper, error);
    }
  }

  /** Whether a file says that there is something under exactly this name. */
  #isNamed(name: string, auths: readonly AuthEntry[]): boolean {
    const { credHelpers } = this.#options.dockerConfig;
    const said = auths.some(({ key }) => shownKey(key) === shownKey(name));
    return said || literalKeys(name).some((key) => credHelpers.has(key));
  }

  /** Whether config.json says of exactly this name that the keychain has it. */
  #isAssigned(name: string): boolean {
    const { credHelpers } = this.#options.dockerConfig;
    const said = literalKeys(name).some((key) => credHelpers.get(key)?.value === ownHelper);
    return said && !this.#forgotten.has(shownKey(name));
  }

  // A keyring that stays locked says that it is empty.
  #warnOfEmptyKeychain(name: string): void {
    if (this.#broken.has(ownHelper)) return;
    this.#broken.add(ownHelper);
    const shown = shownKey(name);
    this.#options.warn(`the keychain shows nothing for ${shown}, which it should keep: is its keyring locked?`);
  }

  /** Whether an empty entry may be ours, which says that the keychain has the credential. */
  #isMarked(name: string, auths: readonly AuthEntry[]): boolean {
    const marked = auths.some((entry) => keyMatches(entry.key, name) && !isUsable(entry) && entry.fault === undefined);
    return marked && keychainObstacle(this.#options.env, process.platform) === undefined;
  }

  // Without a warning: Docker leaves empty entries, too, and there may be nothing behind this one.
  async #fromKeychain(
    name: string,
    auths: readonly AuthEntry[],
    opts: GetOptions | undefined,
  ): Promise<Credential | undefined> {
    return this.#isMarked(name, auths) ? this.#ask(keychain, name, { ...opts, quiet: true }) : undefined;
  }

  #helper({ value: name, origin }: Sourced<string>): CredentialStore {
    const { env, helperTimeoutMs: timeoutMs } = this.#options;
    const made = this.#helpers.get(name) ?? createHelperStore(name, { env, where: formatOrigin(origin), timeoutMs });
    this.#helpers.set(name, made);
    return made;
  }

  /** undefined also where the helper does not work, which is told once: it is not waited for again in this run. */
  async #ask(
    helper: Sourced<string>,
    name: string,
    opts: GetOptions & { readonly quiet?: boolean } = {},
  ): Promise<Credential | undefined> {
    if (this.#broken.has(helper.value)) return undefined;
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
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    this.#options.warn(`${error.message}; going on without credentials.${hint}`);
  }
}
