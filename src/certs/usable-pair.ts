import { createPrivateKey, X509Certificate } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { createSecureContext } from 'node:tls';

/** A certificate with its chain, and its key. PEM. */
export interface Pair {
  /** PEM: the certificate, then its chain. */
  readonly cert: string;
  /** PEM, without a passphrase. A secret. */
  readonly key: string;
}

/** Which of the two cannot be used, and why: the rest of a sentence that begins with the file. */
interface PairFault {
  readonly file: 'cert' | 'key';
  readonly reason: string;
  readonly hint: string;
  readonly cause?: unknown;
}

/** What is wrong with a pair for TLS. @param files The files of the two, for the hint. */
export function pairFault({ cert, key }: Pair, files: Pair): PairFault | undefined {
  const certificate = attempt(() => new X509Certificate(cert));
  if (certificate.failed) {
    const { cause } = certificate;
    return { file: 'cert', reason: 'holds no PEM certificate', hint: certificateHint(files.cert), cause };
  }
  const secret = attempt(() => createPrivateKey(key));
  if (secret.failed) {
    const { cause } = secret;
    return { file: 'key', reason: 'holds no PEM key without a passphrase', hint: keyHint(files.key), cause };
  }
  if (!certificate.value.checkPrivateKey(secret.value)) {
    const hint = `these print the same if they belong together: openssl x509 -in ${files.cert} -noout -pubkey; openssl pkey -in ${files.key} -pubout`;
    return {
      file: 'key',
      reason: `is not the key of ${dirname(files.cert) === dirname(files.key) ? basename(files.cert) : files.cert}`,
      hint,
    };
  }
  const context = attempt(() => createSecureContext({ cert, key }));
  if (!context.failed) return undefined;
  const { cause } = context;
  const hint = `have another made; openssl x509 -in ${files.cert} -noout -text shows its key and its signature`;
  return { file: 'cert', reason: refusalOf(cause), hint, cause };
}

/** What a file with certificates must contain, and how to check it. */
export function certificateHint(file: string): string {
  return `it must contain -----BEGIN CERTIFICATE-----; check it with: openssl x509 -in ${file} -noout -subject -enddate`;
}

function keyHint(file: string): string {
  return `it must contain -----BEGIN PRIVATE KEY-----, not ENCRYPTED; check it with: openssl pkey -in ${file} -noout`;
}

// OpenSSL's own words are for those who know its source.
function refusalOf(cause: unknown): string {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (/_KEY_TOO_SMALL$/.test(code)) return 'has a key that is too short to be safe: TLS takes RSA from 2048 bits on';
  if (/_MD_TOO_WEAK$/.test(code)) return 'is signed with a hash that is not safe any more';
  return `cannot be used for TLS${code === '' ? '' : ` (${code})`}`;
}

type Attempt<T> = { readonly failed: false; readonly value: T } | { readonly failed: true; readonly cause: unknown };

function attempt<T>(make: () => T): Attempt<T> {
  try {
    return { failed: false, value: make() };
  } catch (cause) {
    return { failed: true, cause };
  }
}
