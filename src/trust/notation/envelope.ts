/**
 * Signatures of notation in a JSON Web Signature.
 *
 * @see https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-jws.md
 * @see https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md
 */
import { fromBase64 } from '../../model/base64.ts';
import { isObject, tryParseObject } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';
import { type Certificate, readCertificate } from '../certificates/certificate.ts';
import { decodeText, InvalidSignature } from '../formats/invalid.ts';
import { stringsOf } from '../formats/simple-signing.ts';

export interface NotationEnvelope {
  /** As it was sent: these texts are what is signed. */
  readonly jws: { readonly payload: string; readonly protected: string; readonly signature: string };
  readonly algorithm: string;
  /** The names that a verifier has to understand; all of them are known here. */
  readonly critical: readonly string[];
  /** When it was signed, by a signing authority that is trusted for that too; undefined in the scheme in which the signer only says so. */
  readonly authenticTime: Date | undefined;
  readonly expiry: Date | undefined;
  /** The leaf first. */
  readonly chain: readonly Certificate[];
  /** A token of a timestamp authority (RFC 3161). */
  readonly timestamp: Uint8Array | undefined;
}

/** What is signed: a descriptor, with annotations that the signer added. */
interface TargetArtifact {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

const algorithms: readonly unknown[] = ['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];
const payloadType = 'application/vnd.cncf.notary.payload.v1+json';
const headers = {
  scheme: 'io.cncf.notary.signingScheme',
  signingTime: 'io.cncf.notary.signingTime',
  authenticTime: 'io.cncf.notary.authenticSigningTime',
  expiry: 'io.cncf.notary.expiry',
} as const;
const timestampHeader = 'io.cncf.notary.timestampSignature';
const known: readonly unknown[] = Object.values(headers);
const maxChain = 16;

/** @throws InvalidSignature */
export function readNotationEnvelope(bytes: Uint8Array): NotationEnvelope {
  const { payload, protected: signedHeader, header, signature } = tryParseObject(decodeText(bytes)) ?? {};
  if (typeof payload !== 'string' || typeof signedHeader !== 'string' || typeof signature !== 'string') {
    throw new InvalidSignature('it is not a JWS in its flattened form');
  }
  const fields = tryParseObject(decodeText(fromBase64Url(signedHeader, 'header')));
  if (!fields) throw new InvalidSignature('its header is not a JSON object');
  const { alg: algorithm, cty: type } = fields;
  if (typeof algorithm !== 'string' || !algorithms.includes(algorithm)) {
    throw new InvalidSignature(`its algorithm is ${typeof algorithm === 'string' ? quote(algorithm) : 'none'}`);
  }
  if (type !== payloadType) {
    throw new InvalidSignature(`the type of its payload is ${typeof type === 'string' ? quote(type) : 'none'}`);
  }
  const critical = readCritical(fields);
  const unsigned = isObject(header) ? header : {};
  return {
    jws: { payload, protected: signedHeader, signature },
    algorithm,
    critical,
    authenticTime: readScheme(fields, critical),
    expiry: timeOf(fields, headers.expiry),
    chain: readChain(unsigned['x5c']),
    timestamp: unsigned[timestampHeader] === undefined ? undefined : base64Of(unsigned[timestampHeader], 'timestamp'),
  };
}

/** @throws InvalidSignature */
export function readTargetArtifact(payload: Uint8Array): TargetArtifact {
  const target = tryParseObject(decodeText(payload))?.['targetArtifact'];
  const { mediaType, digest, size, annotations } = isObject(target) ? target : {};
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || typeof size !== 'number') {
    throw new InvalidSignature('its payload names no artifact');
  }
  return { mediaType, digest, size, annotations: stringsOf(annotations) };
}

export function fromBase64Url(text: string, what: string): Uint8Array {
  const isRight = /^[A-Za-z0-9_-]+$/.test(text) && text.length % 4 !== 1;
  if (!isRight) throw new InvalidSignature(`its ${what} is not base64url`);
  return Buffer.from(text, 'base64url');
}

function readCritical(fields: Readonly<Record<string, unknown>>): readonly string[] {
  const list: readonly unknown[] = Array.isArray(fields['crit']) ? fields['crit'] : [];
  for (const name of list) {
    if (typeof name !== 'string' || !known.includes(name) || fields[name] === undefined) {
      const shown = typeof name === 'string' ? quote(name) : 'no name';
      throw new InvalidSignature(`its critical header ${shown} is not understood here, or missing`);
    }
  }
  const names = list as readonly string[];
  if (new Set(names).size !== names.length) throw new InvalidSignature('it names a critical header twice');
  for (const name of [headers.scheme, headers.expiry, headers.authenticTime]) {
    if (name in fields && !names.includes(name)) throw new InvalidSignature(`its header ${name} is not critical`);
  }
  return names;
}

function readScheme(fields: Readonly<Record<string, unknown>>, critical: readonly string[]): Date | undefined {
  const scheme = fields[headers.scheme];
  const time = timeOf(fields, headers.signingTime);
  const authenticTime = timeOf(fields, headers.authenticTime);
  const isRight =
    (scheme === 'notary.x509' && time && !authenticTime) ||
    (scheme === 'notary.x509.signingAuthority' && authenticTime && !time);
  if (isRight && critical.includes(headers.scheme)) return authenticTime;
  throw new InvalidSignature(
    `its signing scheme is ${typeof scheme === 'string' ? quote(scheme) : 'none'}, or has not the time that goes with it`,
  );
}

function timeOf(fields: Readonly<Record<string, unknown>>, name: string): Date | undefined {
  const text = fields[name];
  if (text === undefined) return undefined;
  const isTime = typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = new Date(isTime ? text : Number.NaN);
  if (Number.isNaN(time.getTime())) throw new InvalidSignature(`its header ${name} is not a time`);
  return time;
}

function readChain(list: unknown): readonly Certificate[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > maxChain) {
    throw new InvalidSignature(`it has no certificates, or more than ${maxChain}`);
  }
  return list.map((one: unknown) => readCertificate(base64Of(one, 'certificate')));
}

function base64Of(value: unknown, what: string): Uint8Array {
  const bytes = typeof value === 'string' && value !== '' ? fromBase64(value) : undefined;
  if (!bytes) throw new InvalidSignature(`its ${what} is not base64`);
  return bytes;
}
