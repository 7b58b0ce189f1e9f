import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** A certificate with its chain, and its key. PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Which of the two cannot be used, and why: the rest of a sentence that begins with the file. */
interface PairFault {
  readonly file: 'cert' | 'key';
  readonly reason: string;
  readonly cause?: unknown;
}

/** What is wrong with a pair for TLS. @param certName The certificate, as it is called where the key does not belong to it. */
export function pairFault({ cert, key }: Pair, certName: string): PairFault | undefined {
  const certificate = attempt(() => new X509Certificate(cert));
  if (certificate.failed) return { file: 'cert', reason: 'holds no PEM certificate', cause: certificate.cause };
  const secret = attempt(() => createPrivateKey(key));
  if (secret.failed) {
    return { file: 'key', reason: 'holds no PEM key without a passphrase', cause: secret.cause };
  }
  if (!certificate.value.checkPrivateKey(secret.value)) return { file: 'key', reason: `is not the key of ${certName}` };
  const context = attempt(() => createSecureContext({ cert, key }));
  return context.failed ? { file: 'cert', reason: refusalOf(context.cause), cause: context.cause } : undefined;
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
