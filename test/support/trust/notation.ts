/** Signatures as notation makes them, of which each part can be chosen. */
import { constants, type KeyObject, sign } from 'node:crypto';
import {
  type CertificateOptions,
  codeSigning,
  type Extension,
  extensions,
  type Issued,
  issue,
} from './certificates.ts';

const [from, until] = [new Date('2020-01-01'), new Date('2100-01-01')];

/** An authority, and what it issues. */
export class TestCompany {
  readonly root: Issued;

  constructor(name = 'Company root') {
    this.root = issue({ name, extensions: [extensions.authority(), extensions.keyUsage(5)], from, until });
  }

  certificate({
    usages = [codeSigning],
    more = [],
    ...rest
  }: Partial<CertificateOptions> & { usages?: readonly string[]; more?: readonly Extension[] } = {}): Issued {
    const usage = usages.length > 0 ? [extensions.usage(...usages)] : [];
    return issue({
      name: 'Signer',
      issuer: this.root,
      extensions: [extensions.keyUsage(0), ...usage, ...more],
      from,
      until,
      ...rest,
    });
  }
}

export interface JwsParts {
  readonly by: Issued;
  readonly chain: readonly Uint8Array[];
  readonly target: object;
  /** Changes to the header that is signed. */
  readonly header?: object;
  readonly unsigned?: (signature: Buffer) => object;
  /** With this key instead. */
  readonly key?: KeyObject;
  readonly payload?: object;
}

export const headerNames = {
  scheme: 'io.cncf.notary.signingScheme',
  signingTime: 'io.cncf.notary.signingTime',
  authenticTime: 'io.cncf.notary.authenticSigningTime',
  expiry: 'io.cncf.notary.expiry',
} as const;

const base64Url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function jws({ by, chain, target, header = {}, unsigned, key = by.privateKey, payload }: JwsParts): Buffer {
  const signedHeader = {
    alg: 'ES256',
    cty: 'application/vnd.cncf.notary.payload.v1+json',
    crit: [headerNames.scheme],
    [headerNames.scheme]: 'notary.x509',
    [headerNames.signingTime]: new Date().toISOString().replace(/\.\d+/, ''),
    ...header,
  };
  const parts = { protected: base64Url(signedHeader), payload: base64Url(payload ?? { targetArtifact: target }) };
  const signature = signJws(signedHeader.alg, Buffer.from(`${parts.protected}.${parts.payload}`), key);
  return Buffer.from(
    JSON.stringify({
      ...parts,
      header: { x5c: chain.map((der) => Buffer.from(der).toString('base64')), ...unsigned?.(signature) },
      signature: signature.toString('base64url'),
    }),
  );
}

function signJws(algorithm: string, bytes: Uint8Array, key: KeyObject): Buffer {
  const hash = `sha${/\d+$/.exec(algorithm)?.[0] ?? '256'}`;
  if (key.asymmetricKeyType === 'rsa') {
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    return algorithm.startsWith('PS')
      ? sign(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
      : sign(hash, bytes, key);
  }
  return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
}
