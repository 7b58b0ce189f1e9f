/**
 * The signatures of Docker's schema 1. They are inside the manifest, and its digest covers the rest.
 *
 * @see https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md#signed-manifests
 */

import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { checkArgument } from '../check-arguments.ts';
import type { Digest } from '../digest.ts';
import { OciError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { asArray, asObject, asString, parseJsonObject } from '../json-fields.ts';
import { libtrustId } from '../libtrust-id.ts';
import { parseDigestField } from './descriptor.ts';
import { bareMediaType, mediaTypes } from './media-types.ts';

export interface VerifiedSchema1 {
  /** What was signed: the manifest without its signatures. Trust nothing else in the document. */
  readonly payload: Uint8Array;
  /**
   * IDs of the signing keys as Docker shows them: twelve groups of four characters. The caller decides whether it
   * trusts them.
   */
  readonly keyIds: readonly string[];
}

interface Signature {
  readonly protected: string;
  readonly signature: string;
  readonly header: Readonly<Record<string, unknown>>;
}

const hashes: Readonly<Record<string, string>> = {
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
  RS256: 'sha256',
  RS384: 'sha384',
  RS512: 'sha512',
};
const maxSignatures = 32;

/**
 * The bytes that the digest of a schema 1 manifest covers; all of them if it is not signed.
 *
 * @throws OciError MANIFEST_INVALID, MANIFEST_UNVERIFIED
 */
export function schema1Payload(bytes: Uint8Array): Uint8Array {
  const signatures = readSignatures(bytes);
  return signatures.length === 0 ? bytes : payloadOf(bytes, signatures);
}

/** The layer digests of a schema 1 manifest, without duplicates. It has no sizes. @throws OciError MANIFEST_INVALID */
export function schema1Layers(bytes: Uint8Array): readonly Digest[] {
  const layers = asArray(parseJsonObject(schema1Payload(bytes))['fsLayers'] ?? [], 'fsLayers');
  return [
    ...new Set(
      layers.map((layer, i) =>
        parseDigestField(asObject(layer, `fsLayers[${i}]`)['blobSum'], `fsLayers[${i}].blobSum`),
      ),
    ),
  ];
}

/** The bytes that a manifest's digest covers: all of them, except in a signed schema 1 manifest. */
export function digestedPart({ mediaType, bytes }: { mediaType: string; bytes: Uint8Array }): Uint8Array {
  return bareMediaType(mediaType) === mediaTypes.dockerSchema1Signed ? schema1Payload(bytes) : bytes;
}

/**
 * Checks every signature of a schema 1 manifest.
 *
 * @throws OciError MANIFEST_UNVERIFIED if it is not signed or a signature is invalid; MANIFEST_INVALID if it is malformed.
 */
export function verifySchema1(bytes: Uint8Array): VerifiedSchema1 {
  checkArgument('verifySchema1', 'the bytes', bytes, 'bytes');
  const signatures = readSignatures(bytes);
  if (signatures.length === 0) throw unverified('it is not signed');
  const payload = payloadOf(bytes, signatures);
  const keyIds = signatures.map((signature) => {
    const key = keyOf(signature);
    const { alg } = signature.header;
    const hash = typeof alg === 'string' && Object.hasOwn(hashes, alg) ? hashes[alg] : undefined;
    const signed = Buffer.from(`${signature.protected}.${Buffer.from(payload).toString('base64url')}`);
    const proof = Buffer.from(signature.signature, 'base64url');
    if (hash === undefined || !isRight(hash, signed, key, proof)) {
      throw unverified(`the signature of ${libtrustId(key)} is invalid`);
    }
    return libtrustId(key);
  });
  return { payload, keyIds };
}

function readSignatures(bytes: Uint8Array): readonly Signature[] {
  const list = asArray(parseJsonObject(bytes)['signatures'] ?? [], 'signatures');
  if (list.length > maxSignatures) throw unverified(`it has more than ${maxSignatures} signatures`);
  return list.map((entry, i) => {
    const where = `signatures[${i}]`;
    const fields = asObject(entry, where);
    return {
      protected: asString(fields['protected'], `${where}.protected`),
      signature: asString(fields['signature'], `${where}.signature`),
      header: asObject(fields['header'], `${where}.header`),
    };
  });
}

// Each signature describes the document before it was inserted: the length of the part in front, and the text behind.
function payloadOf(bytes: Uint8Array, signatures: readonly Signature[]): Uint8Array {
  const [payload, ...others] = signatures.map((signature) => {
    const { formatLength, formatTail } = parseJsonObject(Buffer.from(signature.protected, 'base64url'));
    if (!Number.isSafeInteger(formatLength) || Number(formatLength) < 0 || Number(formatLength) > bytes.length) {
      throw unverified('a signature of it is for another document');
    }
    const tail = Buffer.from(asString(formatTail, 'formatTail'), 'base64url');
    refuseMore(bytes, Number(formatLength), tail);
    return Buffer.concat([bytes.subarray(0, Number(formatLength)), tail]);
  });
  if (payload === undefined || others.some((other) => !other.equals(payload))) {
    throw unverified('its signatures are for different documents');
  }
  return payload;
}

/**
 * Refuses a document with more in it than the signed payload and the signatures. The digest covers the payload only, so
 * a program that reads the whole document would take unsigned content for content with this digest.
 */
function refuseMore(bytes: Uint8Array, formatLength: number, tail: Buffer): void {
  const end = bytes.length - tail.length;
  const between = Buffer.from(bytes.subarray(formatLength, Math.max(end, formatLength))).toString();
  const isWhole = end >= formatLength && tail.equals(bytes.subarray(end));
  if (!isWhole || !holdsSignaturesAlone(between)) throw unverified('it contains more than was signed');
}

function holdsSignaturesAlone(members: string): boolean {
  try {
    const keys = Object.keys(asObject(parseJson(`{${members.replace(/^\s*,/, '')}}`), 'signatures'));
    return keys.length === 1 && keys[0] === 'signatures';
  } catch {
    return false;
  }
}

function isRight(hash: string, signed: Uint8Array, key: KeyObject, proof: Uint8Array): boolean {
  try {
    return verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, proof);
  } catch {
    return false; // The key is of a kind that does not make such signatures.
  }
}

function keyOf({ header }: Signature): KeyObject {
  try {
    return createPublicKey({ key: asObject(header['jwk'], 'jwk') as JsonWebKey, format: 'jwk' });
  } catch (cause) {
    throw unverified('one of its signatures has a key of an unknown kind', cause);
  }
}

function unverified(reason: string, cause?: unknown): OciError {
  return new OciError('MANIFEST_UNVERIFIED', `the manifest in schema 1 cannot be trusted: ${reason}`, { cause });
}
