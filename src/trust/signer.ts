/** What signs: a key here, or a service that keeps keys. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { signBytes } from './keys/key-kind.ts';

export interface Signer {
  /** Verifies what it signs. */
  readonly publicKey: KeyObject;
  /** ECDSA in DER, or RSA as PKCS #1 v1.5, over the hash that goes with the key. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export function keySigner(privateKey: KeyObject): Signer {
  return { publicKey: createPublicKey(privateKey), sign: async (bytes) => signBytes(privateKey, bytes) };
}
