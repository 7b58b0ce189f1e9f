/**
 * Bundles of sigstore: an envelope with what verifies it, in a referrer of the image.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_bundle.proto
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/BUNDLE_SPEC.md
 */
import { isObject, tryParseObject } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';
import { inTotoType, readEnvelope, signedBytes, writeEnvelope } from './dsse.ts';
import { decodeText, InvalidSignature } from './invalid.ts';
import type { SignedBytes } from './signed-bytes.ts';

export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
/** Also in the form in which versions were written before. */
const bundleTypes = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[1-3]\+json|\+json;version=0\.[1-3])$/;

/** Whether a media type is that of a bundle, of any version that is read. */
export function isBundleType(mediaType: string): boolean {
  return bundleTypes.test(mediaType);
}

/** What is signed by a key, with the hint that names it. */
export function writeKeyBundle(hint: string, envelope: Parameters<typeof writeEnvelope>[0]): Uint8Array {
  const document = {
    mediaType: bundleType,
    verificationMaterial: { publicKey: { hint } },
    dsseEnvelope: writeEnvelope(envelope),
  };
  return Buffer.from(JSON.stringify(document));
}

/** One with an envelope. What verifies it is left to who reads the evidence. @throws InvalidSignature */
export function readBundle(bytes: Uint8Array): SignedBytes {
  const document = tryParseObject(decodeText(bytes));
  if (!document) throw new InvalidSignature('it is not a JSON object');
  const { mediaType, verificationMaterial: material, dsseEnvelope, messageSignature } = document;
  if (typeof mediaType !== 'string' || !isBundleType(mediaType)) {
    throw new InvalidSignature(
      `it is a bundle of the type ${typeof mediaType === 'string' ? quote(mediaType) : 'none'}`,
    );
  }
  if (!isObject(material)) throw new InvalidSignature('it says nothing of what verifies it');
  if (messageSignature !== undefined) throw new InvalidSignature(`it signs bytes, and no ${inTotoType}`);
  const { payload, signature } = readEnvelope(dsseEnvelope);
  return { bytes: signedBytes(payload), payload, signature, evidence: { kind: 'bundle', document } };
}
