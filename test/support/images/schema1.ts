/** Signs manifests in Docker's schema 1, as Docker did until 2015. */
import { type JsonWebKey, type KeyObject, sign } from 'node:crypto';

export interface Signer {
  readonly alg: 'ES256' | 'RS256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * Adds signatures to a manifest.
 *
 * @param payload Ends in `\n}`.
 * @param options.jwk Named as the signers' key, in place of their own.
 */
export function signSchema1(
  payload: Buffer,
  signers: readonly Signer[],
  options: { readonly jwk?: JsonWebKey } = {},
): Buffer {
  const head = payload.subarray(0, -2);
  const formatTail = payload.subarray(-2).toString('base64url');
  const fields = { formatLength: head.length, formatTail, time: '2015-04-08T18:52:59Z' };
  const guarded = Buffer.from(JSON.stringify(fields)).toString('base64url');
  const signatures = signers.map(({ alg, privateKey, publicKey }) => {
    const data = Buffer.from(`${guarded}.${payload.toString('base64url')}`);
    const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    const jwk = options.jwk ?? publicKey.export({ format: 'jwk' });
    return { header: { jwk, alg }, signature, protected: guarded };
  });
  return Buffer.concat([head, Buffer.from(`,\n   "signatures": ${JSON.stringify(signatures)}\n}`)]);
}
