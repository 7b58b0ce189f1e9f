/**
 * A directory with the certificates that are trusted, as notation keeps them too.
 *
 * @see https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md#trust-store
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OciError } from '../../model/errors.ts';
import { type Certificate, readCertificate, readPemCertificates } from '../certificates/certificate.ts';
import { InvalidSignature } from '../formats/invalid.ts';

export interface TrustStore {
  /** The directory, for messages. */
  readonly name: string;
  /** Those that issue certificates to who signs. */
  readonly authorities: readonly Certificate[];
  /** Those whose signatures may also say when they were made. */
  readonly signingAuthorities: readonly Certificate[];
  /** Of clocks. */
  readonly clocks: readonly Certificate[];
}

/** The folders that have a meaning; what lies elsewhere is of the first kind. */
const kinds = ['ca', 'signingAuthority', 'tsa'] as const;
type Kind = (typeof kinds)[number];
const certificateFile = /\.(?:pem|crt|cer|der)$/i;
const maxFiles = 1000;
const maxFileBytes = 1024 * 1024;
/** `ca/NAME/FILE` */
const maxDepth = 3;

/** @throws OciError USAGE for a directory without certificates, or with a file that is none */
export async function readTrustStore(directory: string): Promise<TrustStore> {
  const found: Record<Kind, Certificate[]> = { ca: [], signingAuthority: [], tsa: [] };
  const files = await filesBelow(directory, 1);
  if (files.length > maxFiles) throw refused(directory, `has more than ${maxFiles} files`);
  for (const path of files) {
    const [folder] = path;
    const kind = path.length > 1 ? (kinds.find((one) => one === folder) ?? 'ca') : 'ca';
    found[kind].push(...(await readCertificates(join(directory, ...path))));
  }
  if (found.ca.length + found.signingAuthority.length === 0) {
    throw refused(directory, 'holds no certificates (.pem, .crt, .cer, .der)');
  }
  return { name: directory, authorities: found.ca, signingAuthorities: found.signingAuthority, clocks: found.tsa };
}

async function filesBelow(directory: string, depth: number): Promise<readonly (readonly string[])[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw refused(directory, `cannot be read as a directory: ${(error as NodeJS.ErrnoException).code ?? error}`);
  });
  const found: (readonly string[])[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length > maxFiles) break;
    if (entry.isDirectory() && depth < maxDepth) {
      for (const path of await filesBelow(join(directory, entry.name), depth + 1)) found.push([entry.name, ...path]);
    } else if (!entry.isDirectory() && certificateFile.test(entry.name)) found.push([entry.name]);
  }
  return found;
}

async function readCertificates(file: string): Promise<readonly Certificate[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(file);
  } catch (error) {
    throw error instanceof OciError
      ? error
      : refused(file, `cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  try {
    const text = Buffer.from(bytes).toString('latin1');
    return text.includes('-----BEGIN ') ? readPemCertificates(text, { max: maxFiles }) : [readCertificate(bytes)];
  } catch (error) {
    if (!(error instanceof InvalidSignature)) throw error;
    throw refused(file, `holds no certificates: ${error.message}`);
  }
}

async function readBounded(file: string): Promise<Uint8Array> {
  const facts = await stat(file);
  // A pipe would never end.
  if (!facts.isFile()) throw refused(file, 'is not a file');
  if (facts.size > maxFileBytes) throw refused(file, `has more than ${maxFileBytes} bytes`);
  return readFile(file);
}

function refused(where: string, problem: string): OciError {
  return new OciError('USAGE', `${where} ${problem}`, {
    hint: 'name a directory with the certificates of who issues to those who sign; those of clocks belong into its folder tsa',
  });
}
