/** Limits of use in a certificate, which Node does not expose. It contains just enough of a DER parser for that. */
import type { X509Certificate } from 'node:crypto';

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1 */
interface CertificateLimits {
  /** Whether it has critical extensions that are not understood here. Such a certificate must be refused. */
  readonly unknownCritical: boolean;
  /** Maximum number of certificates between this one and the leaf; undefined: no limit. */
  readonly pathLength: number | undefined;
  /** The first byte of its key usage; undefined: no restriction. */
  readonly usage: number | undefined;
}

const digitalSignature = 0x80;
const contentCommitment = 0x40;

const basicConstraints = '551d13';
const keyUsage = '551d0f';
// Names, purposes and policies do not matter for a key that signs tokens, and key identifiers are never critical.
const understood: readonly string[] = [basicConstraints, keyUsage, '551d11', '551d25', '551d20', '551d0e', '551d23'];

/** Whether a certificate's key may sign tokens. */
export function maySign(certificate: X509Certificate): boolean {
  const limits = limitsOf(certificate);
  if (limits === undefined || limits.unknownCritical) return false;
  return limits.usage === undefined || (limits.usage & (digitalSignature | contentCommitment)) !== 0;
}

/**
 * Whether a certificate may issue others, with this many between it and the leaf. OpenSSL checks that its key may sign
 * certificates.
 */
export function mayIssue(certificate: X509Certificate, between: number): boolean {
  const limits = limitsOf(certificate);
  if (limits === undefined || limits.unknownCritical) return false;
  return certificate.ca && (limits.pathLength === undefined || between <= limits.pathLength);
}

/** Undefined if the certificate cannot be parsed. */
function limitsOf({ raw }: X509Certificate): CertificateLimits | undefined {
  try {
    const [content] = elements(elements(raw)[0]?.content ?? raw);
    const list = elements(content?.content ?? raw).find(({ tag }) => tag === 0xa3)?.content;
    const extensions = list === undefined ? [] : elements(elements(list)[0]?.content ?? list).map(extensionOf);
    const contentOf = (oid: string) => extensions.find((each) => each.oid === oid)?.value;
    const [constraints, usage] = [contentOf(basicConstraints), contentOf(keyUsage)];
    return {
      unknownCritical: extensions.some(({ oid, critical }) => critical && !understood.includes(oid)),
      pathLength: constraints && pathLengthOf(constraints),
      // After the number of unused bits.
      usage: usage && (elements(usage)[0]?.content[1] ?? 0),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function extensionOf({ content }: Element): { oid: string; critical: boolean; value: Buffer } {
  const [oid, second, third] = elements(content);
  const critical = second?.tag === 0x01 && second.content[0] !== 0;
  return { oid: oid?.content.toString('hex') ?? '', critical, value: (third ?? second)?.content ?? Buffer.alloc(0) };
}

function pathLengthOf(constraints: Buffer): number | undefined {
  const number = elements(elements(constraints)[0]?.content ?? constraints).find(({ tag }) => tag === 0x02)?.content;
  return number === undefined ? undefined : Number.parseInt(number.toString('hex'), 16);
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** The DER elements of a sequence. @throws RangeError if an element is truncated. */
function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    // From 128 on, the low bits are the number of bytes that hold the length.
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) throw new RangeError('an element ends too early');
    found.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
