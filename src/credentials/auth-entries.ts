import type { AuthEntry } from '../config/docker/docker-config.ts';
import { formatOrigin } from '../config/origin.ts';
import { OciError } from '../model/errors.ts';
import type { Credential } from './credential.ts';
import { enclosingNames, exactKeys, keyMatches } from './registry-key.ts';

/**
 * Looks up a repository or registry in the `auths` of a file or variable: the longest namespace first, the registry
 * itself last.
 *
 * @throws OciError CONFIG_INVALID if the matching entry cannot be decoded.
 */
export function credentialFromEntries(entries: readonly AuthEntry[], name: string): Credential | undefined {
  for (const enclosing of enclosingNames(name)) {
    const credential = credentialOfName(entries, enclosing);
    if (credential) return credential;
  }
  return undefined;
}

/**
 * The same for exactly this registry or namespace: exact keys first, then other spellings of it.
 *
 * @throws OciError CONFIG_INVALID
 */
export function credentialOfName(entries: readonly AuthEntry[], name: string): Credential | undefined {
  const exact = exactKeys(name);
  const candidates = [
    ...exact.flatMap((key) => entries.filter((entry) => entry.key === key)),
    ...entries.filter(({ key }) => !exact.includes(key) && keyMatches(key, name)),
  ];
  for (const entry of candidates) {
    const credential = credentialOf(entry);
    if (credential) return credential;
  }
  return undefined;
}

/** Undefined for the empty entry that a helper leaves behind. */
function credentialOf(entry: AuthEntry): Credential | undefined {
  const { username, password = '', identityToken, registryToken, fault, key } = entry;
  const source = formatOrigin(entry.origin);
  if (registryToken !== undefined) return { kind: 'registry-token', token: registryToken, source };
  if (identityToken !== undefined) {
    return { kind: 'identity-token', token: identityToken, ...(username && { username }), source };
  }
  if (fault !== undefined) {
    throw new OciError('CONFIG_INVALID', `${source}: the credentials of ${key} cannot be read: ${fault}`, {
      hint: `log in again with \`ocictl login ${key}\``,
    });
  }
  return username === undefined ? undefined : { kind: 'password', username, password, source };
}
