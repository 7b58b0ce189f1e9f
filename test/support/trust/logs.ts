/** Logs as sigstore has them: one of certificates, and one of signatures. */
import { createHash, sign } from 'node:crypto';
import { type Extension, type Issued, type KeyPair, newKeys, spki } from './certificates.ts';
import { octets } from './der.ts';

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

function number(value: number | bigint, bytes: number): Buffer {
  return Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(bytes * 2, '0'),
    'hex',
  );
}

/** A log of certificates: it signs for each before it is issued. */
export class CertificateLog {
  readonly keys: KeyPair = newKeys();

  get id(): Buffer {
    return sha256(spki(this.keys.publicKey));
  }

  promise(issuer: KeyPair, certificate: Uint8Array, at: Date): Extension {
    const body = Buffer.concat([
      Buffer.from([0, 0]),
      number(at.getTime(), 8),
      number(1, 2),
      sha256(spki(issuer.publicKey)),
      number(certificate.length, 3),
      certificate,
      number(0, 2),
    ]);
    const signature = sign('sha256', body, this.keys.privateKey);
    const one = Buffer.concat([
      Buffer.from([0]),
      this.id,
      number(at.getTime(), 8),
      number(0, 2),
      Buffer.from([4, 3]),
      number(signature.length, 2),
      signature,
    ]);
    const list = Buffer.concat([number(one.length + 2, 2), number(one.length, 2), one]);
    return { id: '1.3.6.1.4.1.11129.2.4.2', value: octets(list) };
  }
}

export interface LogEntry {
  readonly body: Buffer;
  readonly integratedTime: number;
  readonly logIndex: number;
}

/** A log of signatures, of which each entry is one of two leaves of a tree. */
export class SignatureLog {
  readonly keys: KeyPair = newKeys();
  readonly host = 'rekor.example.com';
  #count = 41;

  get id(): Buffer {
    return sha256(spki(this.keys.publicKey));
  }

  entry(body: object, at: Date): LogEntry {
    this.#count += 1;
    const integratedTime = Math.floor(at.getTime() / 1000);
    return { body: Buffer.from(JSON.stringify(body)), integratedTime, logIndex: this.#count };
  }

  /** The signature over the entry (SET). */
  promise({ body, integratedTime, logIndex }: LogEntry): string {
    const payload = { body: body.toString('base64'), integratedTime, logID: this.id.toString('hex'), logIndex };
    return sign('sha256', Buffer.from(JSON.stringify(payload)), this.keys.privateKey).toString('base64');
  }

  proof({ body }: LogEntry): object {
    const leaf = sha256(Buffer.from([0]), body);
    const sibling = sha256(Buffer.from([0]), Buffer.from('another entry'));
    const root = sha256(Buffer.from([1]), sibling, leaf);
    const note = `${this.host} - 1\n2\n${root.toString('base64')}\n`;
    const signature = Buffer.concat([this.id.subarray(0, 4), sign('sha256', Buffer.from(note), this.keys.privateKey)]);
    return {
      logIndex: '1',
      rootHash: root.toString('base64'),
      treeSize: '2',
      hashes: [sibling.toString('base64')],
      checkpoint: { envelope: `${note}\n\u2014 ${this.host} ${signature.toString('base64')}\n` },
    };
  }
}

/** What the log keeps of an envelope. */
export function envelopeBody(
  envelope: Uint8Array,
  payload: Uint8Array,
  signature: string,
  { pem }: Pick<Issued, 'pem'>,
): object {
  const hash = (bytes: Uint8Array): object => ({ algorithm: 'sha256', value: sha256(bytes).toString('hex') });
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: hash(envelope),
      payloadHash: hash(payload),
      signatures: [{ signature, verifier: Buffer.from(pem).toString('base64') }],
    },
  };
}

/** What the log keeps of a signature of bytes. */
export function bytesBody(bytes: Uint8Array, signature: string, { pem }: Pick<Issued, 'pem'>): object {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: sha256(bytes).toString('hex') } },
      signature: { content: signature, publicKey: { content: Buffer.from(pem).toString('base64') } },
    },
  };
}

/** What the second version of the log keeps of an envelope. */
export function envelopeBodyV2(payload: Uint8Array, signature: string, { der }: Pick<Issued, 'der'>): object {
  const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', x509Certificate: { rawBytes: der.toString('base64') } };
  const payloadHash = { algorithm: 'SHA2_256', digest: sha256(payload).toString('base64') };
  return {
    apiVersion: '0.0.2',
    kind: 'dsse',
    spec: { dsseV002: { payloadHash, signatures: [{ content: signature, verifier }] } },
  };
}
