/**
 * cosign's encryption of a private key: JSON with scrypt's parameters and a box of NaCl.
 *
 * @see https://github.com/secure-systems-lab/go-securesystemslib/blob/v0.9.1/encrypted/encrypted.go
 */
import { randomBytes, scrypt } from 'node:crypto';
import { secretbox } from '@noble/ciphers/salsa.js';
import { fromBase64 } from '../../model/base64.ts';
import { isObject, tryParseObject } from '../../model/json.ts';

/** What a key is encrypted with: N of scrypt. cosign wrote 32768 before. */
const writtenCost = 65_536;
/** Others would let a file take any amount of memory and time. */
const knownCosts: readonly number[] = [32_768, 65_536, 131_072];
const [blockSize, parallelism] = [8, 1];
const [saltBytes, nonceBytes, keyBytes] = [32, 24, 32];
/** scrypt takes 128 · N · r bytes, and Node allows 32 MiB unless it is told. */
const maxMemory = 256 * 1024 * 1024;

/** An envelope that is not cosign's. */
export class EnvelopeError extends Error {}

export async function encryptKey(der: Uint8Array, password: string): Promise<Uint8Array> {
  const [salt, nonce] = [randomBytes(saltBytes), randomBytes(nonceBytes)];
  const ciphertext = secretbox(await deriveKey(password, salt, writtenCost), nonce).seal(der);
  const document = {
    kdf: { name: 'scrypt', params: { N: writtenCost, r: blockSize, p: parallelism }, salt: toBase64(salt) },
    cipher: { name: 'nacl/secretbox', nonce: toBase64(nonce) },
    ciphertext: toBase64(ciphertext),
  };
  return Buffer.from(JSON.stringify(document));
}

/**
 * @returns The key in DER; undefined if the password is wrong.
 * @throws EnvelopeError
 */
export async function decryptKey(envelope: Uint8Array, password: string): Promise<Uint8Array | undefined> {
  const { salt, cost, nonce, ciphertext } = readEnvelope(envelope);
  const key = await deriveKey(password, salt, cost);
  try {
    return secretbox(key, nonce).open(ciphertext);
  } catch {
    // The box says no more than that it does not open.
    return undefined;
  }
}

/** Checks an envelope before anybody is asked for its password. @throws EnvelopeError */
export function readEnvelope(envelope: Uint8Array) {
  const document = tryParseObject(Buffer.from(envelope).toString('utf8'));
  if (!document) throw new EnvelopeError('its content is not a JSON object');
  const { kdf, cipher } = document;
  if (!isObject(kdf) || kdf['name'] !== 'scrypt' || !isObject(kdf['params'])) {
    throw new EnvelopeError('its password is not turned into a key by scrypt');
  }
  const { N: cost, r, p } = kdf['params'];
  if (r !== blockSize || p !== parallelism || typeof cost !== 'number' || !knownCosts.includes(cost)) {
    throw new EnvelopeError(`its scrypt has other parameters than N of ${knownCosts.join(', ')}, r 8 and p 1`);
  }
  if (!isObject(cipher) || cipher['name'] !== 'nacl/secretbox') {
    throw new EnvelopeError('it is not encrypted with nacl/secretbox');
  }
  return {
    cost,
    salt: bytesOf('salt', kdf['salt'], saltBytes),
    nonce: bytesOf('nonce', cipher['nonce'], nonceBytes),
    ciphertext: bytesOf('ciphertext', document['ciphertext']),
  };
}

function bytesOf(what: string, value: unknown, length?: number): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (!bytes) throw new EnvelopeError(`its ${what} is not base64`);
  if (length !== undefined && bytes.length !== length) {
    throw new EnvelopeError(`its ${what} has ${bytes.length} bytes instead of ${length}`);
  }
  return bytes;
}

function deriveKey(password: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = { N: cost, r: blockSize, p: parallelism, maxmem: maxMemory };
    scrypt(password, salt, keyBytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
