/** The key for signing tokens, and its certificate, by which registries know it. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  X509Certificate,
} from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OciError } from '../model/errors.ts';
import { selfSigned } from './self-signed.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
  /** The file of the certificate, for registries that trust it; undefined for a temporary key. */
  readonly certificateFile: string | undefined;
}

const [keyName, certificateName] = ['key.pem', 'certificate.pem'];
const commonName = 'ocictl token issuer';

/** A key that only exists in this process. */
export function temporarySigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, certificate: certify(privateKey), certificateFile: undefined };
}

/**
 * Opens the key in a directory, or creates it. Two processes that start at the same time get the same key.
 *
 * @throws OciError CONFIG_INVALID for files with another content; errors of system calls.
 */
export async function openSigningKey(directory: string, warn: (text: string) => void): Promise<SigningKey> {
  const [keyFile, certificateFile] = [join(directory, keyName), join(directory, certificateName)];
  await mkdir(directory, { mode: 0o700 }).catch(unless('EEXIST'));
  const pem = await readOrMake(keyFile, 0o600, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  });
  if (process.platform !== 'win32' && ((await stat(keyFile)).mode & 0o077) !== 0) {
    warn(`${keyFile} can be read by others, who could make tokens with it: chmod 600 ${keyFile}`);
  }
  const privateKey = readKey(pem, keyFile);
  const text = await readOrMake(certificateFile, 0o644, () => certify(privateKey).toString());
  return { privateKey, certificate: readCertificate(text, certificateFile, privateKey), certificateFile };
}

/** Whether a key and its certificate exist, so that opening creates nothing. */
export async function hasSigningKey(directory: string): Promise<boolean> {
  const found = (await readdir(directory).catch(unless('ENOENT'))) ?? [];
  return [keyName, certificateName].every((name) => found.includes(name));
}

function certify(privateKey: KeyObject): X509Certificate {
  return new X509Certificate(selfSigned(privateKey, commonName, new Date()));
}

function readKey(pem: string, file: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch {
    // Reported below, without quoting the file.
  }
  throw new OciError('CONFIG_INVALID', `${file} is not a private key on the curve P-256`, {
    hint: 'restore the earlier key, or remove it with certificate.pem: then a new one is made, and all logins end',
  });
}

function readCertificate(text: string, file: string, privateKey: KeyObject): X509Certificate {
  const hint = `remove ${file}: then it is made again, and registries that trust the old one need the new one`;
  try {
    const certificate = new X509Certificate(text);
    if (certificate.publicKey.equals(createPublicKey(privateKey))) return certificate;
  } catch (cause) {
    throw new OciError('CONFIG_INVALID', `${file} is not a PEM certificate`, { cause, hint });
  }
  throw new OciError('CONFIG_INVALID', `${file} is the certificate of another key than key.pem`, { hint });
}

// Written to a temporary file and linked, so that it is never visible in part, and the first of two writers wins.
async function readOrMake(file: string, mode: number, make: () => string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(unless('ENOENT'));
  if (known !== undefined) return known;
  const aside = `${file}.${randomUUID()}`;
  const handle = await open(aside, 'wx', mode);
  try {
    await handle.writeFile(make());
    await handle.sync();
    await link(aside, file).catch(unless('EEXIST'));
  } finally {
    await handle.close();
    await rm(aside, { force: true });
  }
  return readFile(file, 'utf8');
}

function unless(code: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
