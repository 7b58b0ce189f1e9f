import { readdir, readFile, readlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { variable } from '../config/environment.ts';
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

/** Where they keep them one by one; Go reads these as well. */
const directories = ['/etc/ssl/certs', '/etc/pki/tls/certs'];

type CertificateStore = (type: 'default' | 'system') => string[];

const known = new WeakMap<NodeJS.ProcessEnv, Promise<readonly string[]>>();
const readers = new WeakMap<NodeJS.ProcessEnv, () => Promise<readonly string[]>>();

/**
 * What the system trusts and Node does not already: its bundle and its directory, which `SSL_CERT_FILE` and
 * `SSL_CERT_DIR` replace, or the store of the operating system. Read once for each environment.
 *
 * @throws OciError CONFIG_INVALID where the file that a variable names cannot be read or holds no certificate.
 */
function systemRoots(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const read = known.get(env) ?? readSystemRoots(env);
  known.set(env, read);
  return read;
}

/** The same function for the same environment, so that settings of one host are equal whenever they are read. */
export function systemRootsReader(env: NodeJS.ProcessEnv): () => Promise<readonly string[]> {
  const reader = readers.get(env) ?? (() => systemRoots(env));
  readers.set(env, reader);
  return reader;
}

/** @throws OciError CONFIG_INVALID as {@link systemRoots}, before anything is contacted. */
export async function checkNamedRoots(env: NodeJS.ProcessEnv): Promise<void> {
  if (variable(env, 'SSL_CERT_FILE') !== undefined) await systemRoots(env);
}

/** The certificates of a PEM text, one string each. */
export function pemCertificates(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
}

async function readSystemRoots(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  // Node 22.15 and later give what the operating system keeps elsewhere than in files.
  const tls = process.getBuiltinModule('node:tls') as { readonly getCACertificates?: CertificateStore };
  const file = variable(env, 'SSL_CERT_FILE');
  const named = variable(env, 'SSL_CERT_DIR');
  const ofSystem = file === undefined && named === undefined && process.platform !== 'linux';
  const found = [
    ...(ofSystem ? (tls.getCACertificates?.('system') ?? []) : []),
    ...(file === undefined ? await firstBundle() : await readNamed(file)),
    ...(await inDirectories(named === undefined ? directories : named.split(delimiter))),
  ];
  // Files differ in how they break lines.
  const own = new Set(rootCertificates.map(bare));
  return [...new Map(found.map((pem) => [bare(pem), pem])).entries()].flatMap(([key, pem]) =>
    own.has(key) ? [] : [pem],
  );
}

function bare(pem: string): string {
  return pem.replace(/\s+/g, '');
}

const rootsHint = 'unset SSL_CERT_FILE, or have it name a file of PEM certificates';

async function readNamed(file: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
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

async function firstBundle(): Promise<readonly string[]> {
  for (const file of bundles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text !== '') return pemCertificates(text);
  }
  return [];
}

// A directory that is not there, or a file that cannot be read, is no news: OpenSSL and Go pass them by as well.
async function inDirectories(names: readonly string[]): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const directory of names) {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const file = join(directory, entry.name);
      // OpenSSL's names by hash lead to files beside them.
      const beside = entry.isSymbolicLink() && !(await readlink(file).catch(() => '/')).includes('/');
      if (!beside && !bundles.includes(file)) texts.push(await readFile(file, 'utf8').catch(() => ''));
    }
  }
  return texts.flatMap(pemCertificates);
}
