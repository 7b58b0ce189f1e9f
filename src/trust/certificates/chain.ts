/**
 * Chains of certificates that end in one that is trusted, by the rules of the Notary Project.
 *
 * @see https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#certificate-requirements
 */
import { InvalidSignature } from '../formats/invalid.ts';
import {
  basicConstraints,
  type Certificate,
  extendedUsages,
  extensionIds,
  keyUsageBits,
  refuseUnknownCritical,
  usages,
} from './certificate.ts';

/** With SHA-2. What is signed with SHA-1 can be forged. */
const signatureAlgorithms: readonly string[] = [
  ...['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13'],
  ...['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4'],
];
/** By the numbers of their bits: digitalSignature, nonRepudiation, keyCertSign. */
const [signs, commits, issues] = [0, 1, 5];
const minRsaBits = 2048;

interface ChainRules {
  /** When all of them must be valid. */
  readonly at: Date;
  /** What that time is, in messages: `when it was signed`. */
  readonly when: string;
  readonly usage: string;
}

/** @param chain The leaf first, each issued by the next, the last by itself. @throws InvalidSignature */
export function checkChain(chain: readonly Certificate[], { at, when, usage }: ChainRules): void {
  for (const [index, certificate] of chain.entries()) {
    refuseUnknownCritical(certificate);
    checkValidity(certificate, at, when);
    const issuer = chain[index + 1] ?? certificate;
    if (!isIssuedBy(certificate, issuer)) {
      const problem = chain[index + 1]
        ? 'its certificates do not follow each other'
        : 'its chain does not end in a root';
      throw new InvalidSignature(problem);
    }
    if (index === 0) checkLeaf(certificate, usage);
    else checkAuthority(certificate, index - 1, usage);
  }
}

function checkValidity({ notBefore, notAfter }: Certificate, at: Date, when: string): void {
  if (notBefore <= at && at <= notAfter) return;
  const problem = at < notBefore ? `valid from ${notBefore.toISOString()} on` : `valid until ${notAfter.toISOString()}`;
  throw new InvalidSignature(`a certificate of it is ${problem} alone, and not ${when} (${at.toISOString()})`);
}

/** Whether it says so, and that one's key signed it. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!Buffer.from(certificate.issuer).equals(issuer.subject)) return false;
  if (!signatureAlgorithms.includes(certificate.signatureAlgorithm)) return false;
  try {
    return certificate.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

export function checkLeaf(certificate: Certificate, usage: string): void {
  const isCritical = certificate.extensions.get(extensionIds.keyUsage)?.critical;
  const bits = keyUsageBits(certificate) ?? [];
  if (!isCritical || !bits.includes(signs) || bits.some((bit) => bit !== signs && bit !== commits)) {
    throw new InvalidSignature('its certificate is not for signatures alone');
  }
  if (basicConstraints(certificate).isAuthority) throw new InvalidSignature('its certificate is that of an authority');
  const allowed = extendedUsages(certificate);
  // A certificate that does not say what it is for may sign code, as in notation; a clock's has to say.
  if (!allowed && usage === usages.codeSigning) return;
  // RFC 3161 (2.3) wants it critical for clocks.
  const isStrict = usage !== usages.timeStamping || certificate.extensions.get(extensionIds.extendedKeyUsage)?.critical;
  const excluded: readonly string[] = Object.values(usages).filter((one) => one !== usage);
  if (!isStrict || !allowed?.includes(usage) || allowed.some((one) => excluded.includes(one))) {
    throw new InvalidSignature(
      `its certificate is not for ${usage === usages.codeSigning ? 'code signing' : 'timestamps'} alone`,
    );
  }
}

/** @param below How many authorities are between it and the leaf. */
export function checkAuthority(certificate: Certificate, below: number, usage: string): void {
  const { isAuthority, pathLength } = basicConstraints(certificate);
  if (!isAuthority || !keyUsageBits(certificate)?.includes(issues)) {
    throw new InvalidSignature('a certificate above its own is not that of an authority');
  }
  if (pathLength !== undefined && pathLength < below) {
    throw new InvalidSignature('the chain of its certificate is longer than one above allows');
  }
  const allowed = extendedUsages(certificate);
  if (allowed && !allowed.includes(usage) && !allowed.includes(usages.any)) {
    throw new InvalidSignature('a certificate above its own is for something else');
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.x509.publicKey;
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < minRsaBits) {
    throw new InvalidSignature(`a certificate above its own has a key of less than ${minRsaBits} bits`);
  }
}
