/** The key that tokens are signed with, and the certificate by which others know it. */
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
  /** Where the certificate lies, for those who trust it; undefined for a key of this run alone. */
  readonly certificateFile: string | undefined;
}

const [keyName, certificateName] = ['key.pem', 'certificate.pem'];
const commonName = 'ocictl token issuer';

/** A key that ends with the process. */
export function temporarySigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, certificate: certify(privateKey), certificateFile: undefined };
}

/**
 * Opens the key in a directory; the first time, it is made. Two that begin at once get the same.
 *
 * @throws OciError CONFIG_INVALID for files that are no such key; what system calls throw.
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

/** Whether there is a key with its certificate, so that opening it makes nothing. */
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
    // What is wrong with it is said below, and nothing of what is in it.
  }
  throw new OciError('CONFIG_INVALID', `${file} is no private key on the curve P-256`, {
    hint: 'put back the key of before, or remove it with certificate.pem: then a new one is made, and all logins end',
  });
}

function readCertificate(text: string, file: string, privateKey: KeyObject): X509Certificate {
  const hint = `remove ${file}: then it is made again, and whoever trusts the old one needs the new`;
  try {
    const certificate = new X509Certificate(text);
    if (certificate.publicKey.equals(createPublicKey(privateKey))) return certificate;
  } catch (cause) {
    throw new OciError('CONFIG_INVALID', `${file} is no certificate in PEM`, { cause, hint });
  }
  throw new OciError('CONFIG_INVALID', `${file} is the certificate of another key than key.pem`, { hint });
}

// Written aside and linked: the file is there whole or not at all, and the first of two that write wins.
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
