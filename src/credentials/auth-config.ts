/** Docker's `AuthConfig`, the form in which its API and Go packages pass credentials. */
import { checkArgument, checkOptions, type Shape } from '../model/check-arguments.ts';
import type { Credential } from './credential.ts';
import { exactKeys, keyMatches } from './registry-key.ts';
import { createStaticStore } from './static.ts';
import type { CredentialStore } from './store.ts';

/** One registry's credentials: user and password, or one of the tokens. */
export interface AuthConfig {
  /** Absent with a token. */
  readonly username?: string;
  /** A secret. */
  readonly password?: string;
  /** A refresh token, which is exchanged for access tokens. */
  readonly identityToken?: string;
  /** A bearer token that is sent to the registry as it is. */
  readonly registryToken?: string;
}

/**
 * Finds the credentials of a registry.
 *
 * @param authConfigs By registry: a host, a URL of one, or any name of Docker Hub.
 * @param registry `docker.io` or `host[:port]`.
 * @returns An empty object if there are none.
 */
export function resolveAuthConfig(
  authConfigs: Readonly<Record<string, AuthConfig>>,
  registry: { readonly name: string } | string,
): AuthConfig {
  checkArgument('resolveAuthConfig', 'the list of credentials', authConfigs, 'object');
  checkArgument('resolveAuthConfig', 'the registry', registry, ['string', 'object']);
  const name = typeof registry === 'string' ? registry : registry.name;
  const exact = exactKeys(name).find((key) => Object.hasOwn(authConfigs, key));
  const found = exact ?? Object.keys(authConfigs).find((key) => keyMatches(key, name));
  return (found === undefined ? undefined : authConfigs[found]) ?? {};
}

const authConfigShape: Shape<AuthConfig> = {
  username: 'string',
  password: 'string',
  identityToken: 'string',
  registryToken: 'string',
};

/**
 * A store with the credentials of a single registry, for `createRegistryService`.
 *
 * @param host The only host to which they are sent. In Go they are sent to every host.
 */
export function createAuthConfigStore(host: string, authConfig: AuthConfig): CredentialStore {
  checkArgument('createAuthConfigStore', 'the host', host, 'string');
  checkOptions('createAuthConfigStore', authConfig, authConfigShape);
  const credential = credentialOf(authConfig);
  return createStaticStore(credential ? { [host]: credential } : {});
}

function credentialOf({ username, password, identityToken, registryToken }: AuthConfig): Credential | undefined {
  const source = 'the program';
  if (registryToken) return { kind: 'registry-token', token: registryToken, source };
  if (identityToken) return { kind: 'identity-token', token: identityToken, ...(username && { username }), source };
  return username ? { kind: 'password', username, password: password ?? '', source } : undefined;
}
