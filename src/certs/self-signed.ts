/** Creates the only kind of certificate that is needed: self-signed, with a key on P-256. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';

const tags = { integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, text: 0x0c, utcTime: 0x17, time: 0x18 } as const;
const sequenceTag = 0x30;
const setTag = 0x31;

/** DER encodings of ecdsa-with-SHA256, id-at-commonName, and three extensions. */
const oids = {
  signature: '2a8648ce3d040302',
  commonName: '550403',
  keyUsage: '551d0f',
  subjectKeyId: '551d0e',
  basicConstraints: '551d13',
} as const;

/**
 * The value of RFC 5280 for a certificate that does not expire: it is trusted until it is removed from the trusted ones.
 */
const neverEnds = '99991231235959Z';
const earlierMs = 24 * 60 * 60_000;

/**
 * Creates a certificate for signatures that is not an authority: only its own key is trusted.
 *
 * @returns DER.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
export function selfSigned(privateKey: KeyObject, commonName: string, now: Date): Buffer {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const algorithm = sequence(oid(oids.signature));
  const name = sequence(der(setTag, sequence(oid(oids.commonName), der(tags.text, Buffer.from(commonName)))));
  const content = sequence(
    der(0xa0, der(tags.integer, Buffer.of(2))),
    der(tags.integer, serial()),
    algorithm,
    name,
    // Other machines' clocks may be behind.
    sequence(time(new Date(now.getTime() - earlierMs)), der(tags.time, Buffer.from(neverEnds))),
    name,
    spki,
    der(0xa3, sequence(...extensions(spki))),
  );
  return sequence(content, algorithm, bits(sign('sha256', content, privateKey)));
}

function extensions(spki: Buffer): Buffer[] {
  const critical = der(0x01, Buffer.of(0xff));
  const keyId = createHash('sha1').update(spki).digest();
  return [
    sequence(oid(oids.basicConstraints), critical, der(tags.octets, sequence())),
    // digitalSignature: the first of eight bits; the other seven are unused.
    sequence(oid(oids.keyUsage), critical, der(tags.octets, der(tags.bits, Buffer.of(7, 0x80)))),
    sequence(oid(oids.subjectKeyId), der(tags.octets, der(tags.octets, keyId))),
  ];
}

// Positive, and without a leading zero byte.
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function time(at: Date): Buffer {
  const text = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() < 2050 ? der(tags.utcTime, Buffer.from(text.slice(2))) : der(tags.time, Buffer.from(text));
}

function oid(hex: string): Buffer {
  return der(tags.oid, Buffer.from(hex, 'hex'));
}

function bits(bytes: Buffer): Buffer {
  return der(tags.bits, Buffer.concat([Buffer.of(0), bytes]));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(sequenceTag, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const size = length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), size, content]);
}
