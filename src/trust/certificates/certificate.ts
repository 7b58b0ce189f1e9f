/**
 * Certificates (X.509), with what Node does not tell of them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280
 */
import { X509Certificate } from 'node:crypto';
import { InvalidSignature } from '../formats/invalid.ts';
import { pemBlocks } from '../keys/pem.ts';
import { type Der, derOid, derTags, derTime, malformed, readDer, refuseDeepNesting } from './der.ts';

interface Extension {
  readonly critical: boolean;
  /** What its octet string holds. */
  readonly value: Uint8Array;
}

export interface Certificate {
  readonly der: Uint8Array;
  /** Node's own view, which also verifies. */
  readonly x509: X509Certificate;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of the key and hash that its issuer signed with. */
  readonly signatureAlgorithm: string;
  readonly serialNumber: Uint8Array;
  /** As they are encoded. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly extensions: ReadonlyMap<string, Extension>;
}

export const extensionIds = {
  keyUsage: '2.5.29.15',
  alternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
} as const;

export const usages = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
} as const;

/** Ten times what certificates have. */
const maxCertificateBytes = 32 * 1024;

/** @throws InvalidSignature */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > maxCertificateBytes) {
    throw new InvalidSignature(`a certificate of it has more than ${maxCertificateBytes} bytes`);
  }
  try {
    refuseDeepNesting(der);
    return parse(der);
  } catch (error) {
    const reason = error instanceof InvalidSignature ? `: ${error.message}` : '';
    throw new InvalidSignature(`a certificate of it cannot be read${reason}`);
  }
}

/** The certificates of a text in PEM. @throws InvalidSignature for anything else in it */
export function readPemCertificates(text: string, { max }: { readonly max: number }): readonly Certificate[] {
  const blocks = pemBlocks(text);
  if (blocks.length === 0 || blocks.length > max) {
    throw new InvalidSignature(
      `it has ${blocks.length === 0 ? 'no certificate' : `more than ${max} certificates`} in PEM`,
    );
  }
  return blocks.map(({ label, bytes }) => {
    if (label !== 'CERTIFICATE' || !bytes) throw new InvalidSignature('a certificate of it is not PEM');
    return readCertificate(bytes);
  });
}

function parse(der: Uint8Array): Certificate {
  const [signed, algorithm] = readDer(der).children;
  const fields = signed?.children ?? [];
  const hasVersion = fields[0]?.tag === 0xa0;
  const [serialNumber, inner, issuer, validity, subject] = fields.slice(hasVersion ? 1 : 0);
  const [notBefore, notAfter] = validity?.children ?? [];
  if (!serialNumber || !inner || !issuer || !subject || !notBefore || !notAfter || !algorithm?.children[0])
    throw malformed();
  // What is signed says what it is signed with, and so must what is not.
  if (!Buffer.from(inner.whole).equals(algorithm.whole)) throw malformed();
  return {
    der,
    x509: new X509Certificate(der),
    notBefore: derTime(notBefore),
    notAfter: derTime(notAfter),
    signatureAlgorithm: derOid(algorithm.children[0]),
    serialNumber: serialNumber.content,
    issuer: issuer.content,
    subject: subject.content,
    extensions: readExtensions(fields.find(({ tag }) => tag === 0xa3)?.children[0]?.children ?? []),
  };
}

function readExtensions(list: readonly Der[]): Certificate['extensions'] {
  const found = new Map<string, Extension>();
  for (const { children } of list) {
    const [id, ...rest] = children;
    const value = rest.at(-1);
    if (!id || value?.tag !== derTags.octetString || rest.length > 2) throw malformed();
    const [flag] = rest.length === 2 ? rest : [];
    if (flag && flag.tag !== derTags.boolean) throw malformed();
    const name = derOid(id);
    if (found.has(name)) throw new InvalidSignature(`it has the extension ${name} twice`);
    const critical = flag !== undefined && flag.content[0] !== 0;
    found.set(name, { critical, value: value.content });
  }
  return found;
}

/** What a certificate may be used for; undefined if it does not say. @throws InvalidSignature */
export function extendedUsages({ extensions }: Certificate): readonly string[] | undefined {
  const found = extensions.get(extensionIds.extendedKeyUsage);
  return found && readDer(found.value).children.map(derOid);
}

/** The numbers of the bits that are set: 0 is digitalSignature, 5 is keyCertSign. @throws InvalidSignature */
export function keyUsageBits({ extensions }: Certificate): readonly number[] | undefined {
  const found = extensions.get(extensionIds.keyUsage);
  if (!found) return undefined;
  const { tag, content } = readDer(found.value);
  if (tag !== derTags.bitString || content.length < 2 || content.length > 3) throw malformed();
  return Array.from({ length: (content.length - 1) * 8 }, (_, bit) => bit).filter(
    (bit) => ((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0,
  );
}

/** @throws InvalidSignature */
export function basicConstraints({ extensions }: Certificate): {
  readonly isAuthority: boolean;
  readonly pathLength?: number;
} {
  const found = extensions.get(extensionIds.basicConstraints);
  const [first, second] = found ? readDer(found.value).children : [];
  const isAuthority = first?.tag === derTags.boolean && first.content[0] !== 0;
  const length = isAuthority ? second : undefined;
  if (!length) return { isAuthority };
  if (length.tag !== derTags.integer || length.content.length !== 1 || (length.content[0] ?? 0) > 127)
    throw malformed();
  return { isAuthority, pathLength: length.content[0] ?? 0 };
}

/** @throws InvalidSignature for extensions that may narrow what a certificate is for, and that nobody here understands */
export function refuseUnknownCritical({ extensions }: Certificate): void {
  const known: readonly string[] = Object.values(extensionIds);
  for (const [id, { critical }] of extensions) {
    if (critical && !known.includes(id)) {
      throw new InvalidSignature(`a certificate of it has the critical extension ${id}, which is not understood here`);
    }
  }
}
