/**
 * Tokens of timestamp authorities, with their certificates inside.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2
 * @see https://www.rfc-editor.org/rfc/rfc5652#section-5
 */
import { createHash, verify } from 'node:crypto';
import { type Certificate, readCertificate, refuseUnknownCritical, usages } from '../certificates/certificate.ts';
import { checkAuthority, checkLeaf, isIssuedBy } from '../certificates/chain.ts';
import { type Der, derOid, derTags, derTime, readDer } from '../certificates/der.ts';
import { InvalidSignature } from '../formats/invalid.ts';

const ids = {
  signedData: '1.2.840.113549.1.7.2',
  info: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.47',
} as const;
const hashes: ReadonlyMap<string, string> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);
/** Of RSA in its first form and of ECDSA, with the hash that they name; undefined where it is that of the digest. */
const signatureHashes: ReadonlyMap<string, string | undefined> = new Map([
  ['1.2.840.113549.1.1.1', undefined],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
]);
const maxTokenBytes = 64 * 1024;
const maxCertificates = 16;

/**
 * @param anchors The certificates that are trusted for this.
 * @returns When those bytes existed.
 * @throws InvalidSignature
 */
export function verifyTimestamp(token: Uint8Array, bytes: Uint8Array, anchors: readonly Certificate[]): Date {
  if (token.length > maxTokenBytes) throw new InvalidSignature('its timestamp is too large');
  const [type, wrapped] = readDer(token).children;
  const data = wrapped?.children[0]?.children ?? [];
  const [, , content] = data;
  const signers = data.at(-1);
  const [infoType, infoWrapped] = content?.children ?? [];
  const info = infoWrapped?.children[0];
  const signer = signers?.children[0];
  if (!type || derOid(type) !== ids.signedData || !infoType || derOid(infoType) !== ids.info) throw broken();
  if (info?.tag !== derTags.octetString || signers?.tag !== derTags.set || signers.children.length !== 1 || !signer)
    throw broken();
  const certificates = (data.find(({ tag }) => tag === 0xa0)?.children ?? [])
    .slice(0, maxCertificates)
    .map(({ whole }) => readCertificate(whole));
  const certificate = checkSigner(signer, info.content, certificates);
  const at = checkInfo(readDer(info.content), bytes);
  checkPath(certificate, certificates, anchors, at);
  return at;
}

/** @returns Whose signature it is. */
function checkSigner({ children }: Der, info: Uint8Array, certificates: readonly Certificate[]): Certificate {
  const [, name, digest, attributes, algorithm, signature] = children;
  const [issuer, serial] = name?.children ?? [];
  const certificate = certificates.find(
    (one) => issuer && serial && equal(one.issuer, issuer.content) && equal(one.serialNumber, serial.content),
  );
  const hash = hashOf(digest);
  const algorithmId = algorithm?.children[0] && derOid(algorithm.children[0]);
  if (!certificate || attributes?.tag !== 0xa0 || !algorithmId || !signatureHashes.has(algorithmId) || !signature)
    throw broken();
  const found = readAttributes(attributes);
  const type = found.get(ids.contentType);
  const messageDigest = found.get(ids.messageDigest);
  if (!type || derOid(type) !== ids.info || !messageDigest || !equal(messageDigest.content, digestOf(hash, info)))
    throw broken();
  // Which certificate it is by is signed too: another of the same key may not take its place.
  const [named] = found.get(ids.signingCertificate)?.children[0]?.children ?? [];
  const [first, second] = named?.children ?? [];
  const [namedHash, value] = first?.tag === derTags.octetString ? ['sha256', first] : [hashOf(first), second];
  if (!value || !equal(value.content, digestOf(namedHash, certificate.der))) throw broken();
  // What is signed is the set itself, and not the place that it has in the structure.
  const signed = Buffer.from(attributes.whole);
  signed[0] = derTags.set;
  if (!verify(signatureHashes.get(algorithmId) ?? hash, signed, certificate.x509.publicKey, signature.content)) {
    throw new InvalidSignature('its timestamp is not signed by the certificate in it');
  }
  return certificate;
}

/** Each has one value. */
function readAttributes({ children }: Der): ReadonlyMap<string, Der> {
  const found = new Map<string, Der>();
  for (const { children: parts } of children) {
    const [id, values] = parts;
    const value = values?.children[0];
    if (!id || !value || values.children.length !== 1 || found.has(derOid(id))) throw broken();
    found.set(derOid(id), value);
  }
  return found;
}

/** @returns The time in it. */
function checkInfo({ children }: Der, bytes: Uint8Array): Date {
  const [, , imprint, , time] = children;
  const [algorithm, value] = imprint?.children ?? [];
  if (!value || !time || time.tag !== derTags.generalizedTime) throw broken();
  if (!equal(value.content, digestOf(hashOf(algorithm), bytes))) {
    throw new InvalidSignature('its timestamp is of another signature');
  }
  return derTime(time);
}

/** Looks for a way from a clock's certificate to one that is trusted. */
function checkPath(leaf: Certificate, others: readonly Certificate[], anchors: readonly Certificate[], at: Date): void {
  refuseUnknownCritical(leaf);
  checkLeaf(leaf, usages.timeStamping);
  let current = leaf;
  for (let below = 0; below <= maxCertificates; below += 1) {
    if (at < current.notBefore || at > current.notAfter) {
      throw new InvalidSignature('a certificate of its timestamp was not valid then');
    }
    if (anchors.some(({ der }) => equal(der, current.der))) return;
    const issuer = [...anchors, ...others].find((one) => isIssuedBy(current, one));
    if (!issuer || issuer === current) break;
    refuseUnknownCritical(issuer);
    checkAuthority(issuer, below, usages.timeStamping);
    current = issuer;
  }
  throw new InvalidSignature('its timestamp is not of an authority that is trusted for that');
}

function hashOf(algorithm: Der | undefined): string {
  const hash = algorithm?.children[0] && hashes.get(derOid(algorithm.children[0]));
  if (hash === undefined) throw broken();
  return hash;
}

function digestOf(hash: string, bytes: Uint8Array): Uint8Array {
  return createHash(hash).update(bytes).digest();
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one).equals(other);
}

function broken(): InvalidSignature {
  return new InvalidSignature('its timestamp is malformed');
}
