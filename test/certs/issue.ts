/** A small certificate authority, so that the repository need not contain keys. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Issued {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  readonly subject: string | Buffer;
  readonly privateKey: KeyObject;
}

export interface IssueOptions {
  /** If absent, it is self-signed, and an authority. */
  readonly by?: Issued;
  readonly dnsNames?: readonly string[];
  /** IPv4 addresses, in addition to the names. */
  readonly addresses?: readonly string[];
  readonly notAfter?: Date;
}

/** Issues a certificate for a new P-256 key. @param subject A common name, or a whole name in DER. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
export function issue(
  subject: string | Buffer,
  { by, dnsNames = [], addresses = [], notAfter }: IssueOptions = {},
): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid('06082a8648ce3d040302'));
  const alternatives = [
    ...dnsNames.map((name) => der(0x82, Buffer.from(name))),
    ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  const extensions = [
    ...(by ? [] : [extension('0603551d13', sequence(der(0x01, Buffer.from([0xff]))))]),
    ...(alternatives.length === 0 ? [] : [extension('0603551d11', sequence(...alternatives))]),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(by?.subject ?? subject),
    sequence(time(new Date(Date.now() - 86_400_000)), time(notAfter ?? new Date(Date.now() + 86_400_000))),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  const signature = sign('sha256', body, by?.privateKey ?? privateKey);
  const whole = sequence(body, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject,
    privateKey,
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function oid(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value));
}

function nameOf(subject: string | Buffer): Buffer {
  if (typeof subject !== 'string') return subject;
  const commonName = subject;
  return sequence(der(0x31, sequence(oid('0603550403'), der(0x0c, Buffer.from(commonName)))));
}

function time(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}
