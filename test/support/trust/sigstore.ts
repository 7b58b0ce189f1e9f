/** A sigstore of the tests: who issues certificates to whom, the logs, the clock, and the root that names them. */

import {
  type CertificateOptions,
  codeSigning,
  type Extension,
  emailName,
  extensions,
  type Issued,
  issue,
  type KeyPair,
  spki,
} from './certificates.ts';
import { utf8 } from './der.ts';
import { CertificateLog, SignatureLog } from './logs.ts';
import { TimestampAuthority } from './timestamps.ts';

export const ciIdentity = 'ci@example.com';
export const ciIssuer = 'https://issuer.example.com';

export interface SigningCertificateOptions extends Partial<CertificateOptions> {
  readonly identity?: Buffer;
  readonly oidcIssuer?: string;
  readonly usage?: string;
  /** Without being in the log of certificates. */
  readonly unlogged?: boolean;
  readonly more?: readonly Extension[];
}

const [from, until] = [new Date('2020-01-01'), new Date('2100-01-01')];

export class TestSigstore {
  readonly root: Issued = issue({
    name: 'Root',
    extensions: [extensions.authority(1), extensions.keyUsage(5, 6)],
    from,
    until,
  });
  readonly intermediate: Issued = issue({
    name: 'Intermediate',
    issuer: this.root,
    extensions: [extensions.authority(0), extensions.keyUsage(5, 6), extensions.usage(codeSigning)],
    from,
    until,
  });
  readonly certificates = new CertificateLog();
  readonly log = new SignatureLog();
  readonly clock = new TimestampAuthority();

  /** For ten minutes around now, as Fulcio issues them. */
  certificate(options: SigningCertificateOptions = {}): Issued {
    const {
      identity = emailName(ciIdentity),
      oidcIssuer = ciIssuer,
      usage = codeSigning,
      unlogged,
      more = [],
    } = options;
    const { issuer = this.intermediate, ...rest } = options;
    const now = Date.now();
    return issue({
      name: '',
      from: new Date(now - 300_000),
      until: new Date(now + 300_000),
      extensions: [
        extensions.keyUsage(0),
        extensions.usage(usage),
        extensions.names(identity),
        { id: '1.3.6.1.4.1.57264.1.1', value: Buffer.from(oidcIssuer) },
        { id: '1.3.6.1.4.1.57264.1.8', value: utf8(oidcIssuer) },
        ...more,
      ],
      ...rest,
      issuer,
      ...(!unlogged && {
        addExtension: (unsigned: (list: readonly Extension[]) => Buffer) =>
          this.certificates.promise(issuer, unsigned([]), new Date(now)),
      }),
    });
  }

  /** The trusted_root.json. */
  trustedRoot(changes: object = {}): object {
    const validFor = { start: '2020-01-01T00:00:00Z' };
    const log = ({ publicKey }: KeyPair, id: Buffer, baseUrl: string): object => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: spki(publicKey).toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
      logId: { keyId: id.toString('base64') },
    });
    const authority = (...chain: readonly Issued[]): object => ({
      subject: { organization: 'ocictl tests', commonName: 'tests' },
      uri: 'https://fulcio.example.com',
      certChain: { certificates: chain.map(({ der }) => ({ rawBytes: der.toString('base64') })) },
      validFor,
    });
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(this.log.keys, this.log.id, `https://${this.log.host}`)],
      certificateAuthorities: [authority(this.intermediate, this.root)],
      ctlogs: [log(this.certificates.keys, this.certificates.id, 'https://ctfe.example.com')],
      timestampAuthorities: [authority(this.clock.signer, this.clock.root)],
      ...changes,
    };
  }
}
