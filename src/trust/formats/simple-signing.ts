/**
 * What cosign signs under a tag, and podman reads: the digest of an image with a name for it, in the form of "simple signing".
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/SIGNATURE_SPEC.md#simple-signing
 */
import type { Digest } from '../../model/digest.ts';
import { isObject, tryParseObject } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';
import { decodeText, InvalidSignature } from './invalid.ts';

export const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';
/** The annotation of a layer that has its signature, in base64. */
export const signatureAnnotation = 'dev.cosignproject.cosign/signature';

const payloadType = 'cosign container image signature';

export interface SignedClaims {
  readonly digest: string;
  /** The name that was signed; undefined where the format has none. */
  readonly identity: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** In the bytes that cosign would write, so that equal claims are equal blobs. */
export function writeSimpleSigning(
  claims: SignedClaims & { readonly identity: string; readonly digest: Digest },
): Uint8Array {
  const annotations = Object.entries(claims.annotations).sort(([a], [b]) => (a < b ? -1 : 1));
  const document = {
    critical: {
      identity: { 'docker-reference': claims.identity },
      image: { 'docker-manifest-digest': claims.digest },
      type: payloadType,
    },
    optional: annotations.length === 0 ? null : Object.fromEntries(annotations),
  };
  return Buffer.from(escapeAsGo(JSON.stringify(document)));
}

/** @throws InvalidSignature */
export function readSimpleSigning(bytes: Uint8Array): SignedClaims {
  const document = tryParseObject(decodeText(bytes));
  if (!document) throw new InvalidSignature('its payload is not a JSON object');
  const { critical, optional } = document;
  const { identity, image, type } = isObject(critical) ? critical : {};
  if (type !== payloadType) throw new InvalidSignature(`its payload has the type ${shown(type)}`);
  const digest = isObject(image) ? image['docker-manifest-digest'] : undefined;
  const name = isObject(identity) ? identity['docker-reference'] : undefined;
  if (typeof digest !== 'string' || typeof name !== 'string') {
    throw new InvalidSignature('its payload names no image');
  }
  return { digest, identity: name, annotations: stringsOf(optional) };
}

/** The fields that are strings: what others wrote there counts for nothing. */
export function stringsOf(value: unknown): Readonly<Record<string, string>> {
  const fields = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quote(value) : 'of no signature';
}

/** Go escapes what HTML could misread. */
function escapeAsGo(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
