import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkArgument } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { pemCertificates } from './roots.ts';
import { type Pair, pairFault } from './usable-pair.ts';

/** The certificates in a registry's certs.d directory. */
export interface HostCertificates {
  /** From `*.crt`, in the order of the file names. */
  readonly ca: readonly string[];
  /** From the first pair of `X.cert` and `X.key`. */
  readonly client?: Pair;
}

/**
 * Reads the directory of one registry: `*.crt` are authorities, `X.cert` and `X.key` a client certificate. Other files
 * are ignored.
 *
 * @param warn Called for what is skipped: an unreadable directory or file, a `.crt` without a certificate.
 * @returns Undefined if there is no such directory, or it is not readable.
 * @throws OciError CONFIG_INVALID for a certificate without key or vice versa, and for an unusable pair.
 */
export async function readCertsDirectory(
  directory: string,
  warn: (text: string) => void,
): Promise<HostCertificates | undefined> {
  checkArgument('readCertsDirectory', 'the directory', directory, 'string');
  checkArgument('readCertsDirectory', 'the function that is warned', warn, 'function');
  let names: string[];
  try {
    names = (await readdir(directory)).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') warn(`certificates in ${directory} were skipped: it cannot be read (${code})`);
    return undefined;
  }
  const ca: string[] = [];
  const clients: { readonly cert: string; readonly key: string; readonly name: string }[] = [];
  for (const name of names) {
    const stem = name.replace(/\.(?:cert|key)$/, '');
    if (name.endsWith('.crt')) ca.push(...(await readAuthorities(join(directory, name), warn)));
    else if (name.endsWith('.key') && !names.includes(`${stem}.cert`)) {
      const hint = `put the certificate of this key into ${join(directory, `${stem}.cert`)}, or remove the key`;
      refuse(`missing client certificate ${stem}.cert for key ${name}`, hint);
    } else if (name.endsWith('.cert')) {
      if (!names.includes(`${stem}.key`)) {
        const rule = 'CA certificates must use the extension .crt';
        const hint = `put its key into ${join(directory, `${stem}.key`)}; a certificate of an authority is renamed to ${stem}.crt`;
        refuse(`missing key ${stem}.key for client certificate ${name}. ${rule}`, hint);
      }
      const client = await readClient(directory, stem, warn);
      if (client) clients.push({ ...client, name });
    }
  }
  const [client, ...others] = clients;
  // TLS presents one certificate per kind of key, so a second pair could silently replace the first.
  if (others.length > 0) warn(`${directory} holds several client certificates; ${client?.name} is used`);
  return { ca, ...(client && { client: { cert: client.cert, key: client.key } }) };
}

async function readAuthorities(file: string, warn: (text: string) => void): Promise<readonly string[]> {
  const text = await readPem(file, warn);
  if (text === undefined) return [];
  const found = pemCertificates(text);
  const good = found.filter((pem) => parse(() => new X509Certificate(pem)) !== undefined);
  if (good.length < found.length) warn(`${file} holds a certificate that cannot be read; it was skipped`);
  else if (found.length === 0) warn(`${file} was skipped: it holds no PEM certificate`);
  return good;
}

async function readClient(directory: string, stem: string, warn: (text: string) => void): Promise<Pair | undefined> {
  const files = { cert: join(directory, `${stem}.cert`), key: join(directory, `${stem}.key`) };
  const cert = await readPem(files.cert, warn);
  const key = await readPem(files.key, warn);
  if (cert === undefined || key === undefined) return undefined;
  const fault = pairFault({ cert, key }, files);
  return fault ? refuse(`${files[fault.file]} ${fault.reason}`, fault.hint) : { cert, key };
}

async function readPem(file: string, warn: (text: string) => void): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    warn(`${file} was skipped: it cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

function parse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function refuse(reason: string, hint: string): never {
  throw new OciError('CONFIG_INVALID', reason, { hint });
}
