/** Logins and logouts: what is checked at the registry, and where it is stored. */
import { eraseTokens } from '../../auth/token-files.ts';
import { containersAuthFiles, runtimeDirectory } from '../../config/paths.ts';
import type { Settings } from '../../config/settings.ts';
import { passwordCredential, refuseUnusableSecret } from '../../credentials/account.ts';
import type { Credential } from '../../credentials/credential.ts';
import { createCredentialLookup } from '../../credentials/lookup.ts';
import { authConfigKey, shownKey, splitKey } from '../../credentials/registry-key.ts';
import { type CredentialPlace, type StoreChoice, saveLogin } from '../../credentials/save-login.ts';
import { makeTemporaryConfig, type TemporaryConfig } from '../../credentials/temporary-config.ts';
import { usesPodman } from '../../credentials/uses-podman.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { RegistryService } from '../service.ts';
import { type LoginServer, parseLoginServer } from './server-name.ts';
import type { AuthResult } from './verify.ts';

export type { StoreChoice, TemporaryConfig };

/** A stored login of a server that can be used. */
export interface StoredLogin {
  /** The registry or the namespace. */
  readonly host: string;
  /** undefined for a token whose user is not known. */
  readonly username: string | undefined;
  readonly kind: Credential['kind'];
  readonly source: string;
}

/** What a login is made with. */
export type GivenLogin =
  | { readonly username: string; readonly password: string }
  | { readonly username?: string | undefined; readonly identityToken: string };

export interface LoginOutcome {
  /** The registry or the namespace that the login is for. */
  readonly host: string;
  readonly username: string | undefined;
  /** Whether the registry checked the credentials: false if it requires none, or was not asked. */
  readonly verified: boolean;
  /** What was stored, and where; absent if stored credentials were only checked. */
  readonly stored?: {
    readonly what: 'password' | 'identity-token';
    readonly place: CredentialPlace;
    /** Programs on this machine that read it, and refuse to log in themselves as long as it is there. */
    readonly blocks?: readonly string[];
  };
}

interface LoginOptions {
  readonly signal?: AbortSignal | undefined;
}

interface SaveLoginOptions extends LoginOptions {
  /** Default: the configured helper; without one the keychain, if it answers; otherwise the file. */
  readonly store?: StoreChoice | undefined;
  /** If false, the registry is not asked. */
  readonly verify?: boolean | undefined;
}

/** The user's logins. A server is given as a host or as a URL of one; if absent, it is Docker Hub. */
export interface Logins {
  /** What is set in the environment and used before everything that is stored, if anything is. */
  readonly overriddenBy: 'DOCKER_AUTH_CONFIG' | undefined;
  /** @throws OciError USAGE for an invalid server. */
  server(text: string | undefined): LoginServer;
  /** The login that would be used for a server or for a repository of it. @throws OciError CONFIG_INVALID */
  find(name: string, opts?: LoginOptions): Promise<StoredLogin | undefined>;
  /**
   * All logins that are stored or given in the environment, as far as the helpers list them.
   *
   * @param opts.onUnreadable Called for each entry that cannot be read, which is then left out. If absent, that is an error.
   */
  all(opts?: LoginOptions & { readonly onUnreadable?: (error: OciError) => void }): AsyncIterable<StoredLogin>;
  /** The names of all entries, usable or not. */
  names(opts?: LoginOptions): AsyncIterable<string>;
  /**
   * Checks the stored login. If the registry gives a new identity token, it replaces the stored credential.
   *
   * @throws OciError as {@link RegistryService.auth}; UNAUTHORIZED if nothing is stored.
   */
  check(server: LoginServer, opts?: LoginOptions): Promise<LoginOutcome>;
  /**
   * Checks a given login and stores it, or the identity token that the registry gave for the password.
   *
   * @throws OciError USAGE for an invalid user name or secret, before anything is sent; as {@link
   * RegistryService.auth}; CONFIG_INVALID and STORAGE_* when it cannot be stored.
   */
  login(server: LoginServer, given: GivenLogin, opts?: SaveLoginOptions): Promise<LoginOutcome>;
  /**
   * Erases the logins of a server, under every key that Docker's tools may have used for it.
   *
   * @param server As {@link Logins.server} reads it, or one of the {@link Logins.names}.
   * @returns Whether there was anything.
   * @throws OciError CONFIG_INVALID and STORAGE_* when it cannot be erased.
   */
  logout(server: LoginServer | string, opts?: LoginOptions): Promise<boolean>;
  /** Erases the tokens of all servers that are kept for later commands. {@link logout} erases those of its server. */
  eraseTokens(): void;
  /**
   * Writes the credentials of one server into a private directory, for programs that read Docker's configuration.
   *
   * @param given Used in place of what is stored; checked first, and stored nowhere else.
   * @throws OciError UNAUTHORIZED if nothing is stored; as {@link Logins.login}.
   */
  temporaryConfig(
    server: LoginServer,
    given: GivenLogin | undefined,
    opts?: SaveLoginOptions,
  ): Promise<TemporaryConfig>;
}

interface LoginsOptions {
  readonly settings: Settings;
  readonly service: Pick<RegistryService, 'auth'>;
  readonly warn: (text: string) => void;
}

/** Reads nothing and starts no helper before the first call. */
export function createLogins({ settings, service, warn }: LoginsOptions): Logins {
  const { dockerConfig, dockerAuthConfig, environment } = settings;
  const { env } = environment;
  const authFiles = containersAuthFiles(environment);
  const credentials = createCredentialLookup({ dockerConfig, dockerAuthConfig, authFiles, env, warn });
  const keep = async (
    { name }: LoginServer,
    credential: Kept,
    { store: choice, signal }: SaveLoginOptions = {},
  ): Promise<LoginOutcome['stored']> => {
    const place = await saveLogin(name, credential, { dockerConfig, env, choice, warn, signal });
    // podman pulls and pushes with an identity token, but refuses `podman login` while one is stored.
    const blocks = credential.kind === 'identity-token' && usesPodman(environment) ? { blocks: ['podman'] } : {};
    return { what: credential.kind, place, ...blocks };
  };
  const proven = async (server: LoginServer, given: GivenLogin, opts: SaveLoginOptions): Promise<Proven> => {
    const credential = credentialOf(given);
    if (opts.verify === false) return { credential, verified: false };
    const result = await service.auth(server.host, credential, opts);
    return { credential: identityOf(result, given.username) ?? credential, verified: result.verified };
  };
  const eraseKept = (host: string | undefined): void => {
    const directory = runtimeDirectory(environment);
    try {
      if (directory !== undefined) eraseTokens(directory, host);
    } catch (error) {
      warn(`tokens are still kept in ${directory}: ${error instanceof Error ? error.message : error}`);
    }
  };
  return {
    overriddenBy: dockerAuthConfig === undefined ? undefined : 'DOCKER_AUTH_CONFIG',
    server: parseLoginServer,
    async find(name, opts) {
      const found = await credentials.get(name, opts);
      return found && { host: name, username: usernameOf(found), kind: found.kind, source: found.source };
    },
    async *all(opts) {
      const names = new Set<string>();
      for await (const { host } of credentials.list(opts)) names.add(host);
      // Add helpers that cannot list, and entries that only say that a helper has the login.
      for (const key of [...dockerConfig.credHelpers.keys(), ...dockerConfig.auths.map((entry) => entry.key)]) {
        names.add(shownKey(key));
      }
      for (const name of names) {
        try {
          const found = await this.find(name, opts);
          if (found) yield found;
        } catch (error) {
          if (!opts?.onUnreadable || !isOciError(error) || opts.signal?.aborted) throw error;
          opts.onUnreadable(error);
        }
      }
    },
    async check(server, opts) {
      const credential = await credentials.get(server.name, opts);
      if (!credential) throw nothingStored(server);
      const result = await service.auth(server.host, credential, opts);
      const username = usernameOf(credential);
      const renewed = credential.kind === 'registry-token' ? undefined : identityOf(result, username);
      const stored = renewed && (await keep(server, renewed, opts));
      return { host: server.name, username, verified: result.verified, ...(stored && { stored }) };
    },
    async login(server, given, opts = {}) {
      const { credential, verified } = await proven(server, given, opts);
      const stored = await keep(server, credential, opts);
      return { host: server.name, username: given.username, verified, ...(stored && { stored }) };
    },
    async *names(opts) {
      const names = new Set(dockerConfig.auths.map(({ key }) => shownKey(key)));
      for await (const { host } of credentials.list(opts)) names.add(host);
      yield* names;
      for (const key of dockerConfig.credHelpers.keys()) {
        const name = shownKey(key);
        // A helper that cannot list may be configured for a server without a login.
        if (!names.has(name) && (await credentials.get(name, opts))) yield name;
      }
    },
    async logout(server, opts) {
      const { host, name, given } =
        typeof server === 'string' ? { host: splitKey(server).host, name: server, given: server } : server;
      eraseKept(host);
      let found = false;
      const spellings = name === host ? [host, given, `http://${host}`, `https://${host}`] : [name];
      for (const key of new Set(spellings.map(authConfigKey))) {
        if (await credentials.erase(key, opts)) found = true;
      }
      return found;
    },
    eraseTokens: () => eraseKept(undefined),
    async temporaryConfig(server, given, opts = {}) {
      const credential = given
        ? (await proven(server, given, opts)).credential
        : await credentials.get(server.name, opts);
      if (!credential) throw nothingStored(server);
      const made = await makeTemporaryConfig(server.name, credential, { dockerConfig, env });
      // The command may be an ocictl, which keeps the tokens of this login.
      return {
        ...made,
        async end() {
          eraseKept(server.host);
          await made.end();
        },
        endNow() {
          eraseKept(server.host);
          made.endNow();
        },
      };
    },
  };
}

type Kept = Exclude<Credential, { readonly kind: 'registry-token' }>;

interface Proven {
  readonly credential: Kept;
  readonly verified: boolean;
}

function nothingStored({ name }: LoginServer): OciError {
  const hint = `log in with 'ocictl login${name === 'docker.io' ? '' : ` ${name}`}'`;
  return new OciError('UNAUTHORIZED', `nobody is logged in to ${name}`, { hint });
}

function credentialOf(given: GivenLogin): Kept {
  const source = 'the command line';
  if ('password' in given) return passwordCredential(given, source);
  const { username, identityToken: token } = given;
  refuseUnusableSecret(token, 'identity token');
  // Only to check the user name: an identity token has the same rules for it as a password.
  if (username !== undefined) passwordCredential({ username, password: token }, source);
  return { kind: 'identity-token', token, ...(username !== undefined && { username }), source };
}

function identityOf({ identityToken }: AuthResult, username: string | undefined): Kept | undefined {
  if (identityToken === undefined) return undefined;
  const user = username === undefined ? {} : { username };
  return { kind: 'identity-token', token: identityToken, ...user, source: 'the token server' };
}

function usernameOf(credential: Credential): string | undefined {
  return credential.kind === 'registry-token' ? undefined : credential.username;
}
