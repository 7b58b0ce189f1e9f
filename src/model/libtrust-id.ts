import { createHash, type KeyObject } from 'node:crypto';

/**
 * The key ID that distribution uses: the first 240 bits of the public key's SHA-256 in base 32, in groups of four
 * characters.
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
