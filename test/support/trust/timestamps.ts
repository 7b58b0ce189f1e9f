/** A clock that signs (RFC 3161). */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { extensions, type Issued, issue, timeStamping } from './certificates.ts';
import { der, integer, octets, oid, sequence, set, time } from './der.ts';

const ids = {
  sha256: '2.16.840.1.101.3.4.2.1',
  signedData: '1.2.840.113549.1.7.2',
  info: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  ecdsa256: '1.2.840.10045.4.3.2',
} as const;

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export interface TimestampChanges {
  readonly at?: Date;
  /** What it is a timestamp of, if not the bytes. */
  readonly imprint?: Uint8Array;
  readonly eContentType?: string;
  readonly signer?: Issued;
  /** What signs in place of the signer's key. */
  readonly key?: KeyObject;
  /** The certificate that is named as the signer's. */
  readonly named?: Issued;
}

export class TimestampAuthority {
  readonly root: Issued = issue({
    name: 'Clock root',
    extensions: [extensions.authority(), extensions.keyUsage(5, 6)],
    from: new Date('2020-01-01'),
    until: new Date('2100-01-01'),
  });
  readonly signer: Issued;

  constructor({ usage = timeStamping, criticalUsage = true }: { usage?: string; criticalUsage?: boolean } = {}) {
    this.signer = issue({
      name: 'Clock',
      issuer: this.root,
      extensions: [extensions.keyUsage(0), { ...extensions.usage(usage), critical: criticalUsage }],
      from: new Date('2020-01-01'),
      until: new Date('2100-01-01'),
    });
  }

  /** The answer of an authority. */
  answer(bytes: Uint8Array, changes: TimestampChanges = {}): Buffer {
    return sequence(sequence(integer(0)), this.token(bytes, changes));
  }

  /** What an answer holds, with the certificates in it. */
  token(
    bytes: Uint8Array,
    {
      at = new Date(),
      imprint = sha256(bytes),
      eContentType = ids.info,
      signer = this.signer,
      key = signer.privateKey,
      named = signer,
    }: TimestampChanges = {},
  ): Buffer {
    const algorithm = sequence(oid(ids.sha256), der(0x05));
    const info = sequence(
      integer(1),
      oid('1.3.6.1.4.1.57264.2'),
      sequence(algorithm, octets(imprint)),
      integer(7),
      time(at),
    );
    const attributes = [
      sequence(oid(ids.contentType), set(oid(eContentType))),
      sequence(oid(ids.signingTime), set(time(at))),
      sequence(oid(ids.messageDigest), set(octets(sha256(info)))),
      sequence(oid(ids.signingCertificateV2), set(sequence(sequence(sequence(octets(sha256(named.der))))))),
    ].sort(Buffer.compare);
    const signature = sign('sha256', set(...attributes), key);
    const signerInfo = sequence(
      integer(1),
      sequence(signer.issuerName, integer(signer.serial)),
      algorithm,
      der(0xa0, ...attributes),
      sequence(oid(ids.ecdsa256)),
      octets(signature),
    );
    const data = sequence(
      integer(3),
      set(algorithm),
      sequence(oid(eContentType), der(0xa0, octets(info))),
      der(0xa0, this.signer.der, this.root.der),
      set(signerInfo),
    );
    return sequence(oid(ids.signedData), der(0xa0, data));
  }
}
