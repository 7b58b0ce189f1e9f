/** Issues certificates of which each part can be chosen. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, der, integer, octets, oid, sequence, set, shortTime, truth, utf8 } from './der.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface Issued extends KeyPair {
  readonly der: Buffer;
  readonly pem: string;
  readonly serial: Buffer;
  /** Encoded. */
  readonly name: Buffer;
  readonly issuerName: Buffer;
}

export interface Extension {
  readonly id: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

export interface CertificateOptions {
  readonly name: string;
  /** Itself, without one. */
  readonly issuer?: Issued | undefined;
  readonly keys?: KeyPair;
  readonly from?: Date;
  readonly until?: Date;
  readonly extensions: readonly Extension[];
  /** Changes what is signed, with the extensions known. */
  readonly addExtension?: (unsigned: (extensions: readonly Extension[]) => Buffer) => Extension;
}

export const hour = 3_600_000;

export function newKeys(curve = 'P-256'): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: curve });
}

export const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

const ids = { ecdsa256: '1.2.840.10045.4.3.2', rsa256: '1.2.840.113549.1.1.11' } as const;
export const extensions = {
  authority: (pathLength?: number): Extension => ({
    id: '2.5.29.19',
    critical: true,
    value: sequence(truth, ...(pathLength === undefined ? [] : [integer(pathLength)])),
  }),
  /** By the numbers of the bits. */
  keyUsage: (...numbers: readonly number[]): Extension => {
    const byte = numbers.reduce((sum, number) => sum | (0x80 >> number), 0);
    return { id: '2.5.29.15', critical: true, value: bits(Buffer.from([byte]), 0) };
  },
  usage: (...usages: readonly string[]): Extension => ({ id: '2.5.29.37', value: sequence(...usages.map(oid)) }),
  names: (...names: readonly Buffer[]): Extension => ({ id: '2.5.29.17', critical: true, value: sequence(...names) }),
  keyId: ({ publicKey }: KeyPair): Extension => ({
    id: '2.5.29.14',
    value: octets(createHash('sha1').update(spki(publicKey)).digest()),
  }),
  issuerKeyId: ({ publicKey }: KeyPair): Extension => ({
    id: '2.5.29.35',
    value: sequence(der(0x80, createHash('sha1').update(spki(publicKey)).digest())),
  }),
};
export const codeSigning = '1.3.6.1.5.5.7.3.3';
export const serverAuth = '1.3.6.1.5.5.7.3.1';
export const timeStamping = '1.3.6.1.5.5.7.3.8';
export const emailName = (text: string): Buffer => der(0x81, Buffer.from(text, 'latin1'));
export const uriName = (text: string): Buffer => der(0x86, Buffer.from(text, 'latin1'));

export function issue(options: CertificateOptions): Issued {
  const {
    name: text,
    issuer,
    keys = newKeys(),
    from = new Date(Date.now() - hour),
    until = new Date(Date.now() + hour),
  } = options;
  const name =
    text === ''
      ? sequence()
      : sequence(set(sequence(oid('2.5.4.10'), utf8('ocictl tests'))), set(sequence(oid('2.5.4.3'), utf8(text))));
  const serial = Buffer.concat([Buffer.from([0x11]), randomBytes(15)]);
  const signer = issuer ?? { ...keys, name };
  const algorithm = sequence(
    oid(signer.privateKey.asymmetricKeyType === 'rsa' ? ids.rsa256 : ids.ecdsa256),
    ...(signer.privateKey.asymmetricKeyType === 'rsa' ? [der(0x05)] : []),
  );
  const unsigned = (list: readonly Extension[]): Buffer =>
    sequence(
      der(0xa0, integer(2)),
      integer(serial),
      algorithm,
      signer.name,
      sequence(shortTime(from), shortTime(until)),
      name,
      spki(keys.publicKey),
      der(
        0xa3,
        sequence(
          ...list.map(({ id, critical, value }) => sequence(oid(id), ...(critical ? [truth] : []), octets(value))),
        ),
      ),
    );
  const before = [...options.extensions, extensions.keyId(keys), ...(issuer ? [extensions.issuerKeyId(issuer)] : [])];
  const list = [
    ...before,
    ...(options.addExtension ? [options.addExtension((some) => unsigned([...before, ...some]))] : []),
  ];
  const signed = unsigned(list);
  const whole = sequence(signed, algorithm, bits(sign('sha256', signed, signer.privateKey)));
  return { ...keys, der: whole, pem: pem(whole), serial, name, issuerName: signer.name };
}

export function pem(bytes: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
