/** Certificate files that a setting names. Unlike those in certs.d, they must exist and be valid. */
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { formatOrigin, type Origin } from '../config/origin.ts';
import { OciError, type OciErrorOptions } from '../model/errors.ts';
import { pemCertificates } from './roots.ts';
import { certificateHint, type Pair, pairFault } from './usable-pair.ts';

/** Reads all certificates of the files. @throws OciError CONFIG_INVALID naming the setting and the file. */
export async function readAuthorityFiles(files: readonly string[], origin: Origin): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) {
    const certificates = pemCertificates(await read(file, origin));
    const hint = certificateHint(file);
    if (certificates.length === 0) throw invalid(origin, `${file} holds no PEM certificate`, { hint });
    for (const pem of certificates) {
      try {
        new X509Certificate(pem);
      } catch (cause) {
        throw invalid(origin, `${file} holds a certificate that cannot be read`, { hint, cause });
      }
    }
    found.push(...certificates);
  }
  return found;
}

/**
 * Reads a certificate and its key, which may be in the same file.
 *
 * @param origins The settings that name the two.
 * @throws OciError CONFIG_INVALID naming the setting and the file, also for a pair that TLS cannot use.
 */
export async function readPair(files: Pair, origins: { readonly cert: Origin; readonly key: Origin }): Promise<Pair> {
  const pair = { cert: await read(files.cert, origins.cert), key: await read(files.key, origins.key) };
  const fault = pairFault(pair, files);
  if (fault) throw invalid(origins[fault.file], `${files[fault.file]} ${fault.reason}`, fault);
  return pair;
}

async function read(file: string, origin: Origin): Promise<string> {
  try {
    // Reading a pipe or device might never end.
    if (!(await stat(file)).isFile())
      throw Object.assign(new Error('it is not a regular file'), { code: 'not a regular file' });
    return await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(origin, `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

function invalid(origin: Origin, problem: string, { hint, cause }: Pick<OciErrorOptions, 'hint' | 'cause'>): OciError {
  return new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${problem}`, {
    cause,
    hint: hint ?? 'correct the file, or the setting that names it',
  });
}
