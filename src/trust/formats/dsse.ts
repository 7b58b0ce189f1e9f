/**
 * Signed envelopes (DSSE), of which what is signed covers the type of the payload too.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
 */

import { fromBase64 } from '../../model/base64.ts';
import { isObject, tryParseObject } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';
import { decodeText, InvalidSignature } from './invalid.ts';

export const inTotoType = 'application/vnd.in-toto+json';
/** Of an envelope by itself, as cosign stores attestations. */
export const envelopeType = 'application/vnd.dsse.envelope.v1+json';

interface Envelope {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** The bytes that are signed (PAE). */
export function signedBytes(payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`DSSEv1 ${inTotoType.length} ${inTotoType} ${payload.length} `), payload]);
}

export function writeEnvelope({ payload, signature }: Envelope) {
  return {
    payload: Buffer.from(payload).toString('base64'),
    payloadType: inTotoType,
    signatures: [{ sig: Buffer.from(signature).toString('base64') }],
  };
}

/** One that is by itself, in bytes. @throws InvalidSignature */
export function readEnvelopeBytes(bytes: Uint8Array): Envelope {
  return readEnvelope(tryParseObject(decodeText(bytes)));
}

/** One with a statement of in-toto, and one signature. @throws InvalidSignature */
export function readEnvelope(value: unknown): Envelope {
  if (!isObject(value)) throw new InvalidSignature('its envelope is not a JSON object');
  const { payload, payloadType, signatures } = value;
  if (payloadType !== inTotoType) {
    const type = typeof payloadType === 'string' ? quote(payloadType) : 'none';
    throw new InvalidSignature(`the type of its payload is ${type} instead of ${inTotoType}`);
  }
  const [first, another] = Array.isArray(signatures) ? (signatures as readonly unknown[]) : [];
  if (another !== undefined) throw new InvalidSignature('its envelope has several signatures instead of one');
  const sig = isObject(first) ? first['sig'] : undefined;
  if (sig === undefined) throw new InvalidSignature('its envelope has no signature');
  return { payload: decoded('payload', payload), signature: decoded('signature', sig) };
}

function decoded(what: string, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (!bytes || bytes.length === 0) throw new InvalidSignature(`its ${what} is not base64`);
  return bytes;
}
