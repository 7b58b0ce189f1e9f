import { createHash, type KeyObject } from 'node:crypto';

/**
 * What distribution calls a public key: the first 240 bits of its SHA-256 in base 32, four characters a group.
 *
 * @see https://distribution.github.io/distribution/spec/auth/jwt/
 */
export function libtrustId(key: KeyObject): string {
  const hash = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
  const bits = [...hash.subarray(0, 30)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map(
    (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)],
  );
  return (letters.join('').match(/.{4}/g) ?? []).join(':');
}
