/** The kinds of keys that sign images, and how each signs. */
import { type KeyObject, sign, verify } from 'node:crypto';
import { OciError } from '../../model/errors.ts';

/** The hash that goes with a curve, by OpenSSL's names. cosign signs with it. */
const curveHashes: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'sha256'],
  ['secp384r1', 'sha384'],
  ['secp521r1', 'sha512'],
]);
const usualHash = 'sha256';
/** In bits. Smaller ones can be factored; verifying with larger ones takes seconds. */
const [minRsaBits, maxRsaBits] = [2048, 8192];

/** @throws OciError USAGE for a key that does not sign images. @param where The file, for the message. */
export function checkKeyKind(key: KeyObject, where: string): void {
  const problem = problemOf(key);
  if (problem === undefined) return;
  throw new OciError('USAGE', `${where}: ${problem}`, {
    hint: 'use ECDSA on P-256, P-384 or P-521, or RSA with 2048 bits or more; ocictl key generate makes one',
  });
}

function problemOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === 'ec') {
    const curve = details?.namedCurve ?? 'with explicit parameters';
    return curveHashes.has(curve) ? undefined : `keys on the curve ${curve} are not supported`;
  }
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    return bits >= minRsaBits && bits <= maxRsaBits ? undefined : `an RSA key of ${bits} bits is not supported`;
  }
  // cosign signs with Ed25519ph, which Node does not have.
  if (type === 'ed25519') return 'Ed25519 keys are not supported: cosign signs with their prehashed form (Ed25519ph)';
  return `keys of the kind ${type} are not supported`;
}

/** Signs as cosign does: ECDSA in DER with the hash of its curve, RSA as PKCS #1 v1.5 with SHA-256. */
export function signBytes(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign(hashOf(key), bytes, key);
}

/** Whether a signature is right. On P-384 and P-521, SHA-256 counts too: earlier versions of cosign signed with it. */
export function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return [...new Set([hashOf(key), usualHash])].some((hash) => verify(hash, bytes, key, signature));
}

function hashOf({ asymmetricKeyDetails: details }: KeyObject): string {
  return curveHashes.get(details?.namedCurve ?? '') ?? usualHash;
}
