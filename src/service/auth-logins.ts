/** Logging in and out: what is checked at the registry, and where it is kept. */
import type { Settings } from '../config/settings.ts';
import type { Credential } from '../credentials/credential.ts';
import { configuredHelper, createCredentialLookup } from '../credentials/lookup.ts';
import { authConfigKey } from '../credentials/registry-key.ts';
import { OciError } from '../model/errors.ts';
import type { AuthResult } from './auth.ts';
import { type LoginServer, parseLoginServer } from './auth-server.ts';
import type { RegistryService } from './service.ts';

/** Where credentials are kept: a file, in clear text, or a helper by its name. */
export type CredentialPlace =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'helper'; readonly name: string };

/** What is stored for a server: usable, whoever it belongs to. */
export interface StoredLogin {
  /** undefined for a token. */
  readonly username: string | undefined;
  readonly source: string;
}

export interface LoginOutcome {
  readonly host: string;
  readonly username: string | undefined;
  /** Whether the registry checked the credentials: false where it asks for none. */
  readonly verified: boolean;
  /** What was stored, and where; absent where what is stored was only checked. */
  readonly stored?: { readonly what: 'password' | 'identity-token'; readonly place: CredentialPlace };
}

export interface LoginOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The user's logins. Every server is a host or a URL of one; absent, it is Docker Hub. */
export interface Logins {
  /** What is set in the environment and comes before everything that is stored; undefined where nothing is. */
  readonly overriddenBy: 'DOCKER_AUTH_CONFIG' | undefined;
  /** @throws OciError USAGE for what is no server. */
  server(text: string | undefined): LoginServer;
  /** What is stored for a server. @throws OciError CONFIG_INVALID */
  find(server: LoginServer, opts?: LoginOptions): Promise<StoredLogin | undefined>;
  /**
   * Checks what is stored. A new identity token takes its place.
   *
   * @throws OciError as {@link RegistryService.auth}, UNAUTHORIZED where nothing is stored.
   */
  check(server: LoginServer, opts?: LoginOptions): Promise<LoginOutcome>;
  /**
   * Checks a user and a password, and stores them, or the identity token that came in place of the password.
   *
   * @throws OciError USAGE for what cannot be a user name or a password, before anything is sent; as
   *   {@link RegistryService.auth}; CONFIG_INVALID and STORAGE_* when it cannot be stored.
   */
  login(
    server: LoginServer,
    account: { readonly username: string; readonly password: string },
    opts?: LoginOptions,
  ): Promise<LoginOutcome>;
  /**
   * Forgets a server, under every key that Docker's tools may have used for it.
   *
   * @returns Whether there was anything.
   * @throws OciError CONFIG_INVALID and STORAGE_* when it cannot be forgotten.
   */
  logout(server: LoginServer, opts?: LoginOptions): Promise<boolean>;
}

export interface LoginsOptions {
  readonly settings: Settings;
  readonly service: Pick<RegistryService, 'auth'>;
  readonly warn: (text: string) => void;
}

/** Reads nothing and starts no helper before it is asked. */
export function createLogins({ settings, service, warn }: LoginsOptions): Logins {
  const { dockerConfig, dockerAuthConfig, surroundings } = settings;
  const credentials = createCredentialLookup({ dockerConfig, dockerAuthConfig, env: surroundings.env, warn });
  const placeOf = (host: string): CredentialPlace => {
    const helper = configuredHelper(dockerConfig, host);
    return helper ? { kind: 'helper', name: helper.value } : { kind: 'file', file: dockerConfig.file };
  };
  const keep = async (
    { host }: LoginServer,
    credential: Kept,
    opts?: LoginOptions,
  ): Promise<LoginOutcome['stored']> => {
    await credentials.store(host, credential, opts);
    return { what: credential.kind, place: placeOf(host) };
  };
  return {
    overriddenBy: dockerAuthConfig === undefined ? undefined : 'DOCKER_AUTH_CONFIG',
    server: parseLoginServer,
    async find({ host }, opts) {
      const found = await credentials.get(host, opts);
      return found && { username: usernameOf(found), source: found.source };
    },
    async check(server, opts) {
      const credential = await credentials.get(server.host, opts);
      if (!credential) throw new OciError('UNAUTHORIZED', `nothing is stored for ${server.host}`);
      const result = await service.auth(server.host, credential, opts);
      const username = usernameOf(credential);
      const renewed = credential.kind === 'registry-token' ? undefined : identityOf(result, username);
      const stored = renewed && (await keep(server, renewed, opts));
      return { host: server.host, username, verified: result.verified, ...(stored && { stored }) };
    },
    async login(server, { username, password }, opts) {
      refuseUnusable(username, password);
      const credential = { kind: 'password', username, password, source: 'the command line' } as const;
      const result = await service.auth(server.host, credential, opts);
      const stored = await keep(server, identityOf(result, username) ?? credential, opts);
      return { host: server.host, username, verified: result.verified, ...(stored && { stored }) };
    },
    async logout({ host, given }, opts) {
      let found = false;
      for (const key of new Set([host, given, `http://${host}`, `https://${host}`].map(authConfigKey))) {
        if (await credentials.erase(key, opts)) found = true;
      }
      return found;
    },
  };
}

type Kept = Exclude<Credential, { readonly kind: 'registry-token' }>;

function identityOf({ identityToken }: AuthResult, username: string | undefined): Kept | undefined {
  if (identityToken === undefined) return undefined;
  const user = username === undefined ? {} : { username };
  return { kind: 'identity-token', token: identityToken, ...user, source: 'the token server' };
}

function usernameOf(credential: Credential): string | undefined {
  return credential.kind === 'registry-token' ? undefined : credential.username;
}

// A line break or a NUL is nearly always a file read too far, and some helpers would store half of it. Google's
// `_json_key` takes a whole JSON document for the password, line breaks included.
function refuseUnusable(username: string, password: string): void {
  const refuse = (text: string, hint?: string): never => {
    throw new OciError('USAGE', text, { hint });
  };
  if (username === '') refuse('username is empty');
  if (password === '') refuse('password is empty');
  if (/[\0\r\n]/.test(username)) refuse('the username holds a line break or a NUL character');
  if (username.includes(':'))
    refuse('a username cannot hold a colon', 'what stands behind it would become the password');
  if (password.includes('\0')) refuse('the password holds a NUL character');
  if (/[\r\n]/.test(password) && !isJsonObject(password)) {
    refuse('the password holds a line break', 'pass the password alone; one line ending behind it does no harm');
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
