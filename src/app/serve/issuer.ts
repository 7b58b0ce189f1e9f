/** The token issuer of `ocictl serve --issue-tokens`. Part of the composition root, loaded by that command only. */
import { join, resolve } from 'node:path';
import { hasSigningKey, openSigningKey, type SigningKey, temporarySigningKey } from '../../certs/signing-key.ts';
import { configError } from '../../config/documents/config-error.ts';
import { type AccessFile, openAccessFile } from '../../config/ocictl/access-file.ts';
import { fileError } from '../../files/file-errors.ts';
import { libtrustId } from '../../model/libtrust-id.ts';
import type { Authorize } from '../../server/auth/access.ts';
import { createTokenAuth } from '../../server/auth/token-auth.ts';
import { createTokenIssuer, type TokenIssuer } from '../../server/auth/token-issuer.ts';
import { tokenPath } from '../../server/routes/token.ts';
import { checkRealm } from './auth.ts';

export interface ServedIssuer {
  readonly authorize: Authorize;
  readonly issuer: TokenIssuer;
  /** For the user who starts it: how other registries can accept its tokens. */
  readonly notes: readonly string[];
}

export interface IssuerPlace {
  /** The served directory, if it is one. The key is stored in it. */
  readonly root: string | undefined;
  /** If true, no key is created there; an existing one is used. */
  readonly readOnly: boolean;
  readonly warn: (text: string) => void;
}

/**
 * Opens the access file and the key, and creates the issuer and the check of its tokens.
 *
 * @throws OciError CONFIG_INVALID; STORAGE and STORAGE_DENIED if the key cannot be stored.
 */
export async function openIssuer(file: string, place: IssuerPlace): Promise<ServedIssuer> {
  const { warn } = place;
  const access = await openAccessFile(resolve(file), { warn, check });
  const { privateKey, certificate, certificateFile } = await openKey(place);
  const key = certificate.publicKey;
  // Its own tokens are verified by the key alone; the certificate is for other registries.
  const trust = { roots: [certificate], keys: [{ ids: [libtrustId(key)], key }] };
  const tokens = createTokenIssuer({ rules: access, privateKey, certificate });
  const authorize = createTokenAuth({
    realm: async ({ origin }) => (await access()).realm?.value ?? ownRealm(origin),
    service: async () => (await access()).services[0],
    issuer: async () => (await access()).issuer,
    trust: async () => trust,
    stillAllowed: tokens.allows,
  });
  const { services, issuer } = await access();
  const others = services.slice(1);
  const notes =
    others.length === 0 || certificateFile === undefined
      ? []
      : [`${others.join(', ')}: trust its tokens with rootcertbundle ${certificateFile} and issuer ${issuer}`];
  return { authorize, issuer: tokens, notes };
}

async function openKey({ root, readOnly, warn }: IssuerPlace): Promise<SigningKey> {
  if (root === undefined) return temporarySigningKey();
  const directory = join(root, 'tokens');
  try {
    if (readOnly && !(await hasSigningKey(directory))) return temporarySigningKey();
    return await openSigningKey(directory, warn);
  } catch (error) {
    const hints = { full: 'make room there', elsewhere: 'name another directory with --root' };
    throw fileError(error, 'keep the key for tokens in', directory, hints);
  }
}

function check({ realm }: AccessFile): void {
  if (realm) checkRealm(realm.value, (reason) => configError(realm.origin, reason));
}

// The address under which the client reached this registry.
function ownRealm(origin: string | undefined): string {
  return new URL(tokenPath, origin !== undefined && URL.canParse(origin) ? origin : 'http://localhost').href;
}
