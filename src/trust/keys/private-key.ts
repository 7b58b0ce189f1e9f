/** Private keys that sign: cosign's encrypted ones, and plain or encrypted PEM. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { decryptKey, EnvelopeError, readEnvelope } from './envelope.ts';
import { checkKeyKind } from './key-kind.ts';
import { pemBlocks } from './pem.ts';

/** cosign's label, and the one it wrote before. */
export const sigstoreLabel = 'ENCRYPTED SIGSTORE PRIVATE KEY';
const sigstoreLabels: readonly string[] = [sigstoreLabel, 'ENCRYPTED COSIGN PRIVATE KEY'];
const plainLabels: readonly string[] = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'];
const encryptedLabel = 'ENCRYPTED PRIVATE KEY';

/** What Node may do to open an encrypted PKCS #8 file is bounded by its iterations, which stand in the file. */
const maxIterations = 10_000_000;

/** Gives the password of a key. @param attempt From 1. @returns Undefined if no other can be had. */
export type AskPassword = (attempt: number) => Promise<string | undefined>;

/**
 * Reads a private key.
 *
 * @param where The file, for messages.
 * @throws OciError USAGE for a file that holds no such key; UNAUTHORIZED for a wrong password.
 */
export async function readPrivateKey(text: string, where: string, ask: AskPassword): Promise<KeyObject> {
  if (text.includes('Proc-Type: 4,ENCRYPTED')) {
    throw new OciError('USAGE', `${where} is encrypted in the old way of PEM, which is weak`, {
      hint: `convert it: openssl pkcs8 -topk8 -in ${where}`,
    });
  }
  const blocks = pemBlocks(text).filter(({ label }) => label !== 'EC PARAMETERS');
  const [block, another] = blocks;
  if (!block) throw notKey(where, 'holds no PEM');
  if (another) throw notKey(where, 'holds several keys or certificates');
  const { label, bytes } = block;
  if (label.includes('PUBLIC KEY')) throw notKey(where, 'is a public key, and signing takes the private one');
  if (sigstoreLabels.includes(label)) return decryptSigstore(bytes, where, ask);
  const encrypted = label === encryptedLabel;
  if (!encrypted && !plainLabels.includes(label)) throw notKey(where, `holds ${quote(label)}`);
  const open = (passphrase?: string): KeyObject | undefined => {
    try {
      return createPrivateKey({ key: block.text, format: 'pem', ...(passphrase !== undefined && { passphrase }) });
    } catch {
      return undefined;
    }
  };
  if (encrypted) checkIterations(bytes, where);
  const key = encrypted ? await withPassword(where, ask, async (password) => open(password)) : open();
  if (!key) throw notKey(where, 'is damaged');
  checkKeyKind(key, where);
  return key;
}

async function decryptSigstore(bytes: Uint8Array | undefined, where: string, ask: AskPassword): Promise<KeyObject> {
  if (!bytes) throw notKey(where, 'is damaged: it is not base64');
  try {
    readEnvelope(bytes);
  } catch (error) {
    if (error instanceof EnvelopeError) throw notKey(where, `is damaged or of another kind: ${error.message}`);
    throw error;
  }
  const der = await withPassword(where, ask, (password) => decryptKey(bytes, password));
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch {
    throw notKey(where, 'is damaged: what it holds encrypted is no key');
  }
  checkKeyKind(key, where);
  return key;
}

async function withPassword<T>(
  where: string,
  ask: AskPassword,
  open: (password: string) => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const password = await ask(attempt);
    if (password === undefined) break;
    const opened = await open(password);
    if (opened !== undefined) return opened;
  }
  throw new OciError('UNAUTHORIZED', `wrong password for the key ${where}`, {
    hint: 'the password is asked for, or read from COSIGN_PASSWORD or --password-file',
  });
}

/** Looks for the integer of PBKDF2 behind its salt. @see https://www.rfc-editor.org/rfc/rfc8018#appendix-A.2 */
function checkIterations(der: Uint8Array | undefined, where: string): void {
  const bytes = Buffer.from(der ?? []);
  const pbkdf2 = bytes.indexOf('06092a864886f70d01050c', 'hex');
  if (pbkdf2 < 0) throw notKey(where, 'is encrypted in another way than by PBKDF2');
  // SEQUENCE, its length, OCTET STRING, its length, the salt, INTEGER.
  const salt = pbkdf2 + 13;
  const count = salt + 2 + (bytes[salt + 1] ?? 0);
  const length = bytes[count + 1] ?? 0;
  if (bytes[salt] !== 4 || bytes[count] !== 2 || length < 1 || length > 4) throw notKey(where, 'is damaged');
  if (bytes.readUIntBE(count + 2, length) > maxIterations) {
    throw notKey(where, `asks for more than ${maxIterations} iterations of PBKDF2`);
  }
}

function notKey(where: string, problem: string): OciError {
  return new OciError('USAGE', `${where} ${problem}`, {
    hint: "name a private key in PEM: cosign's, or one of ECDSA or RSA",
  });
}
