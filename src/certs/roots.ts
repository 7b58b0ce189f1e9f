import { readFile } from 'node:fs/promises';
import * as tls from 'node:tls';
import { variable } from '../config/surroundings.ts';
import { OciError } from '../model/errors.ts';

/** Where Linux distributions keep the system's roots in one file, in the order Go looks for them. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

type CertificateStore = (type: 'default' | 'system') => string[];

/**
 * All roots that are trusted without any certs.d: Node's, those of `NODE_EXTRA_CA_CERTS`, and the system's, which
 * `SSL_CERT_FILE` replaces. Node takes a list of roots instead of its own, not in addition, so the list is complete.
 *
 * @throws OciError CONFIG_INVALID where a file that a variable names cannot be read or holds no certificate.
 */
export async function trustedRoots(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  // Node 22.15 and later tell what they trust, the operating system's store included.
  const getCACertificates = (tls as { readonly getCACertificates?: CertificateStore }).getCACertificates;
  const own = getCACertificates?.('default') ?? [...tls.rootCertificates, ...(await named(env, 'NODE_EXTRA_CA_CERTS'))];
  const system = variable(env, 'SSL_CERT_FILE')
    ? await named(env, 'SSL_CERT_FILE')
    : ((process.platform === 'linux' ? undefined : getCACertificates?.('system')) ?? (await firstBundle()));
  return [...new Set([...own, ...system])];
}

/** The certificates of a PEM text, one string each. */
export function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
}

async function named(env: NodeJS.ProcessEnv, name: string): Promise<readonly string[]> {
  const file = variable(env, name);
  if (file === undefined) return [];
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new OciError('CONFIG_INVALID', `${name} names ${file}, which cannot be read`, { cause: error });
  }
  const found = pemCertificates(text);
  if (found.length > 0) return found;
  throw new OciError('CONFIG_INVALID', `${name} names ${file}, which holds no PEM certificate`);
}

async function firstBundle(): Promise<readonly string[]> {
  for (const file of bundles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text !== '') return pemCertificates(text);
  }
  return [];
}
