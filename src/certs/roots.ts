import { type Dirent, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { delimiter } from 'node:path';
import { rootCertificates } from 'node:tls';
import { variable } from '../config/environment.ts';
import { OciError } from '../model/errors.ts';

/** Files with all roots of the system on Linux distributions, in the order in which Go looks for them. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Directories with the system's roots, one per file; Go reads them as well. */
const directories = ['/etc/ssl/certs', '/etc/pki/tls/certs'];

type CertificateStore = (type: 'default' | 'system') => string[];

const known = new WeakMap<NodeJS.ProcessEnv, Promise<readonly string[]>>();
const readers = new WeakMap<NodeJS.ProcessEnv, () => Promise<readonly string[]>>();

/**
 * Roots that the system trusts and Node does not include: its bundle and its directory, which `SSL_CERT_FILE` and
 * `SSL_CERT_DIR` replace, or the operating system's store. Read once per environment.
 *
 * @throws OciError CONFIG_INVALID if the file named by a variable cannot be read or holds no certificate.
 */
function systemRoots(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const read = known.get(env) ?? readSystemRoots(env);
  known.set(env, read);
  return read;
}

/** The same function for the same environment, so that two reads of one host's settings are equal. */
export function systemRootsReader(env: NodeJS.ProcessEnv): () => Promise<readonly string[]> {
  const reader = readers.get(env) ?? (() => systemRoots(env));
  readers.set(env, reader);
  return reader;
}

/** @throws OciError CONFIG_INVALID as {@link systemRoots}, before any connection is made. */
export async function checkNamedRoots(env: NodeJS.ProcessEnv): Promise<void> {
  const file = variable(env, 'SSL_CERT_FILE');
  if (file !== undefined) readNamed(file);
}

/** Splits a PEM text into its certificates. */
export function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
}

// Without a pause: 300 small files take 30 ms when each is awaited, and the roots are wanted before a handshake ends.
async function readSystemRoots(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  // Since Node 22.15 this reads stores of the operating system that are not files.
  const tls = process.getBuiltinModule('node:tls') as { readonly getCACertificates?: CertificateStore };
  const file = variable(env, 'SSL_CERT_FILE');
  const named = variable(env, 'SSL_CERT_DIR');
  const ofSystem = file === undefined && named === undefined && process.platform !== 'linux';
  const found = [
    ...(ofSystem ? (tls.getCACertificates?.('system') ?? []) : []),
    ...(file === undefined ? firstBundle() : readNamed(file)),
    ...inDirectories(named === undefined ? directories : named.split(delimiter)),
  ];
  // Files may have different line breaks.
  const own = new Set(rootCertificates.map(endOfCertificate));
  return [...new Map(found.map((pem) => [endOfCertificate(pem), pem])).entries()].flatMap(([key, pem]) =>
    own.has(key) ? [] : [pem],
  );
}

const endLength = 48;

/**
 * The end of a certificate in base64, of its DER or PEM. It is a part of the signature, which no other has; to compare all
 * of 150 takes 10 ms.
 */
export function endOfCertificate(text: string): string {
  return text
    .slice(-2 * endLength)
    .replace(/-----END.*|\s+/gs, '')
    .slice(-endLength);
}

const rootsHint = 'unset SSL_CERT_FILE, or have it name a file of PEM certificates';

function readNamed(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new OciError('CONFIG_INVALID', `SSL_CERT_FILE names ${file}, which cannot be read`, {
      cause: error,
      hint: rootsHint,
    });
  }
  const found = pemCertificates(text);
  if (found.length > 0) return found;
  throw new OciError('CONFIG_INVALID', `SSL_CERT_FILE names ${file}, which holds no PEM certificate`, {
    hint: rootsHint,
  });
}

function firstBundle(): readonly string[] {
  for (const file of bundles) {
    const text = attempt(() => readFileSync(file, 'utf8'), '');
    if (text !== '') return pemCertificates(text);
  }
  return [];
}

// A missing directory or an unreadable file is skipped without a warning, as by OpenSSL and Go.
function inDirectories(names: readonly string[]): readonly string[] {
  const texts: string[] = [];
  for (const directory of names) {
    for (const entry of attempt<readonly Dirent[]>(() => readdirSync(directory, { withFileTypes: true }), [])) {
      // Not join, which takes as long as the rest for 300 names.
      const file = `${directory}/${entry.name}`;
      // OpenSSL's hash names are links to files in the same directory.
      const beside = entry.isSymbolicLink() && !attempt(() => readlinkSync(file), '/').includes('/');
      if (!beside && !bundles.includes(file)) texts.push(attempt(() => readFileSync(file, 'utf8'), ''));
    }
  }
  return texts.flatMap(pemCertificates);
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
