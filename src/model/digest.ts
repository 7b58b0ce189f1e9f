import { createHash } from 'node:crypto';
import { checkArgument } from './check-arguments.ts';
import { OciError } from './errors.ts';
import { quote } from './quote.ts';

declare const digestBrand: unique symbol;

/** A content digest, `algorithm:hex`, that {@link parseDigest} has checked: safe in a URL and in a path. */
export type Digest = string & { readonly [digestBrand]: true };

/**
 * Digest algorithms and the number of hex digits each has.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms
 */
export const digestAlgorithms = { sha256: 64, sha384: 96, sha512: 128, blake3: 64 } as const;

/** An algorithm that {@link createHasher} supports. */
export type DigestAlgorithm = keyof typeof digestAlgorithms;

/** A running hash. Its state cannot be saved: another process hashes everything again from the first byte. */
export interface Hasher {
  /** What the digest begins with. */
  readonly algorithm: DigestAlgorithm;
  /** Adds bytes. Their memory may be reused at once. */
  update(chunk: Uint8Array): void;
  /** The digest of what was added so far; more may be added. */
  current(): Digest;
  /** Ends the hash; may be called once. */
  digest(): Digest;
}

/**
 * Reads a digest.
 *
 * @throws OciError DIGEST_INVALID when the algorithm is unknown, or the hex has the wrong length or case.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
export function parseDigest(text: string): Digest {
  checkArgument('parseDigest', 'the digest', text, 'string');
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, Math.max(colon, 0));
  const hex = text.slice(colon + 1);
  if (colon < 1 || !/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*$/.test(algorithm) || hex === '') {
    throw new OciError('DIGEST_INVALID', `invalid digest format: ${quote(text)}`, {
      hint: 'a digest looks like sha256: followed by 64 lowercase hexadecimal digits',
    });
  }
  if (!isDigestAlgorithm(algorithm)) {
    throw new OciError('DIGEST_INVALID', `unsupported digest algorithm: ${quote(algorithm)}`, {
      hint: `the algorithms known here are ${Object.keys(digestAlgorithms).join(', ')}`,
    });
  }
  if (!/^[0-9a-fA-F]+$/.test(hex) || (hex.length === digestAlgorithms[algorithm] && !/^[0-9a-f]+$/.test(hex))) {
    throw new OciError('DIGEST_INVALID', `invalid digest format: ${quote(text)}`, {
      hint: 'the part after the colon must be lowercase hexadecimal',
    });
  }
  if (hex.length !== digestAlgorithms[algorithm]) {
    throw new OciError(
      'DIGEST_INVALID',
      `invalid digest length: ${algorithm} has ${digestAlgorithms[algorithm]} hexadecimal digits, not ${hex.length}`,
    );
  }
  return text as Digest;
}

/** The digest, or undefined if the value is not one. For untrusted input. */
export function tryParseDigest(text: unknown): Digest | undefined {
  // Mostly it is a tag, and an error costs as much as the rest of a small request.
  if (typeof text !== 'string' || !text.includes(':')) return undefined;
  try {
    return parseDigest(text);
  } catch {
    return undefined;
  }
}

/** The algorithm of a digest. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  checkArgument('digestAlgorithm', 'the digest', digest, 'string');
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

/** The hex part of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The first twelve hex digits, which docker shows as the ID of an image or layer. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}

/**
 * Starts a hash. Asynchronous because the module for blake3 is only loaded when it is needed.
 *
 * @throws OciError USAGE for an unknown algorithm.
 */
export async function createHasher(algorithm: DigestAlgorithm = 'sha256'): Promise<Hasher> {
  checkArgument('createHasher', 'the algorithm', algorithm, 'string');
  if (!isDigestAlgorithm(algorithm)) {
    const hint = `the algorithms are ${Object.keys(digestAlgorithms).join(', ')}`;
    throw new OciError('USAGE', `createHasher: there is no algorithm ${quote(String(algorithm))}`, { hint });
  }
  if (algorithm === 'blake3') {
    const { blake3 } = await import('@noble/hashes/blake3.js');
    const hash = blake3.create({});
    const digestOf = (state: typeof hash): Digest => `blake3:${Buffer.from(state.digest()).toString('hex')}` as Digest;
    return {
      algorithm,
      update: (chunk) => void hash.update(chunk),
      current: () => digestOf(hash.clone()),
      digest: () => digestOf(hash),
    };
  }
  const hash = createHash(algorithm);
  return {
    algorithm,
    update: (chunk) => void hash.update(chunk),
    current: () => `${algorithm}:${hash.copy().digest('hex')}` as Digest,
    digest: () => `${algorithm}:${hash.digest('hex')}` as Digest,
  };
}

/** The digest of bytes in memory. */
export async function digestBytes(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Promise<Digest> {
  checkArgument('digestBytes', 'the bytes', bytes, 'bytes');
  const hasher = await createHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest();
}

/** Whether a word is a supported algorithm. */
export function isDigestAlgorithm(word: string): word is DigestAlgorithm {
  return Object.hasOwn(digestAlgorithms, word);
}
