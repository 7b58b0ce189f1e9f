/** Trusted root certificates and keys, and the choice of one by a token's header. */

import { createHash, createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto';
import { checkArgument } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
import { isObject, tryParseObject } from '../../model/json.ts';
import { libtrustId } from '../../model/libtrust-id.ts';
import { mayIssue, maySign } from './certificate-limits.ts';

export interface TrustedKey {
  /** IDs by which a header may name the key. */
  readonly ids: readonly string[];
  /** The public key. */
  readonly key: KeyObject;
  /** The only algorithm for this key, if its JWK names one. */
  readonly algorithm?: string | undefined;
}

/** The certificates and keys that are trusted at one moment. */
export interface TokenTrust {
  /** Chains in `x5c` must end at one of these. */
  readonly roots: readonly X509Certificate[];
  /** Keys that are trusted by their IDs. */
  readonly keys: readonly TrustedKey[];
}

/** The fields of a token's header that name a key. */
interface KeyHeader {
  readonly alg?: unknown;
  readonly x5c?: unknown;
  readonly jwk?: unknown;
  readonly kid?: unknown;
}

const maxChain = 8;
const maxCertificateBytes = 16 * 1024;

/**
 * Reads the certificates of a PEM file. They are roots for chains; their own keys are trusted too, under the IDs that
 * distribution uses.
 *
 * @throws OciError CONFIG_INVALID
 */
export function readRoots(pem: string, file: string): TokenTrust {
  checkArgument('readRoots', 'the text', pem, 'string');
  checkArgument('readRoots', 'the name of the file', file, 'string');
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    throw new OciError('CONFIG_INVALID', `${file} has no certificate in PEM`, {
      hint: 'name the certificate of the token server, or of the authority that issued it',
    });
  }
  const roots = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new OciError('CONFIG_INVALID', `certificate ${index + 1} of ${file} cannot be read`, { cause });
    }
  });
  return { roots, keys: roots.map(({ publicKey }) => ({ ids: idsOf(publicKey), key: publicKey })) };
}

/** Reads a JSON Web Key Set. @throws OciError CONFIG_INVALID @see https://www.rfc-editor.org/rfc/rfc7517#section-5 */
export function readJwks(text: string, file: string): TokenTrust {
  checkArgument('readJwks', 'the text', text, 'string');
  checkArgument('readJwks', 'the name of the file', file, 'string');
  const refuse = (reason: string): never => {
    throw new OciError('CONFIG_INVALID', `${file}: ${reason}`, {
      hint: 'a key set is {"keys":[…]} with the public keys of the token server',
    });
  };
  const list = (tryParseObject(text) ?? refuse('not a JSON object'))['keys'];
  if (!Array.isArray(list)) return refuse('"keys" must be a list');
  const keys = list.flatMap((jwk: unknown, index): TrustedKey[] => {
    const what = `key ${index + 1}`;
    if (!isObject(jwk)) return refuse(`${what} is not an object`);
    // A registry with such a key could make tokens; and using one key for both purposes is how HS256 attacks work.
    if (jwk['kty'] === 'oct') return refuse(`${what} is a shared secret; tokens are signed with private keys`);
    if ('d' in jwk) return refuse(`${what} is a private key, which only the token server may have`);
    if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return [];
    const key = publicKeyOf(jwk) ?? refuse(`${what} cannot be read`);
    const { kid, alg } = jwk;
    const ids = typeof kid === 'string' ? [kid] : idsOf(key);
    return [{ ids, key, algorithm: typeof alg === 'string' ? alg : undefined }];
  });
  if (keys.length === 0) return refuse('it has no key for signatures');
  return { roots: [], keys };
}

/** The key that verifies a token: of a trusted chain, or trusted itself. Undefined if the header names none of these. */
export function keyFor(header: KeyHeader, trust: TokenTrust, now: Date): KeyObject | undefined {
  const { alg, x5c, jwk, kid } = header;
  // The first field that is present decides, as in distribution: if it names no trusted key, the next does not help.
  if (x5c !== undefined) return leafKeyOf(x5c, trust.roots, now);
  const suits = ({ algorithm }: TrustedKey): boolean => algorithm === undefined || algorithm === alg;
  if (jwk !== undefined) {
    const named = isObject(jwk) ? publicKeyOf(jwk) : undefined;
    return trust.keys.find((each) => suits(each) && named?.equals(each.key))?.key;
  }
  if (typeof kid !== 'string') return undefined;
  return trust.keys.find((each) => each.ids.includes(kid) && suits(each) && signs(each.key, alg))?.key;
}

function leafKeyOf(x5c: unknown, roots: readonly X509Certificate[], now: Date): KeyObject | undefined {
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > maxChain) return undefined;
  const chain = x5c.map(certificateOf);
  const [leaf, ...others] = chain.filter((certificate) => certificate !== undefined);
  if (leaf === undefined || others.length + 1 !== chain.length) return undefined;
  return maySign(leaf) && leadsTo(leaf, others, roots, now, 0) ? leaf.publicKey : undefined;
}

/**
 * Each intermediate is used at most once, so that a cycle of signatures ends.
 *
 * @param between Number of certificates between the issuer that is searched and the leaf.
 */
function leadsTo(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: Date,
  between: number,
): boolean {
  if (!isValidAt(certificate, now)) return false;
  if (roots.some(({ raw }) => raw.equals(certificate.raw))) return true;
  if (roots.some((root) => isValidAt(root, now) && hasIssued(root, certificate, between))) return true;
  const at = others.findIndex((other) => hasIssued(other, certificate, between));
  const issuer = others[at];
  return issuer !== undefined && leadsTo(issuer, others.toSpliced(at, 1), roots, now, between + 1);
}

function hasIssued(issuer: X509Certificate, certificate: X509Certificate, between: number): boolean {
  return mayIssue(issuer, between) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isValidAt({ validFrom, validTo }: X509Certificate, now: Date): boolean {
  return Date.parse(validFrom) <= now.getTime() && now.getTime() <= Date.parse(validTo);
}

function certificateOf(text: unknown): X509Certificate | undefined {
  if (typeof text !== 'string' || text.length > maxCertificateBytes) return undefined;
  try {
    return new X509Certificate(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

function signs({ asymmetricKeyType }: KeyObject, algorithm: unknown): boolean {
  if (typeof algorithm !== 'string') return false;
  if (algorithm.startsWith('ES')) return asymmetricKeyType === 'ec';
  if (/^[RP]S/.test(algorithm)) return asymmetricKeyType === 'rsa';
  return algorithm === 'EdDSA' && asymmetricKeyType === 'ed25519';
}

function idsOf(key: KeyObject): readonly string[] {
  return [libtrustId(key), thumbprint(key)];
}

/** @see https://www.rfc-editor.org/rfc/rfc7638 */
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  // Members in alphabetical order; those that a key type does not have are omitted.
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url');
}

function publicKeyOf(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}
