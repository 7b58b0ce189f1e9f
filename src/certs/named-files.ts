/** Certificates that a setting names one by one. Unlike what lies in certs.d, they must be there and be good. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { formatOrigin, type Origin } from '../config/origin.ts';
import { OciError } from '../model/errors.ts';
import { pemCertificates } from './roots.ts';

/** All certificates of the files. @throws OciError CONFIG_INVALID naming the setting and the file. */
export async function readAuthorityFiles(files: readonly string[], origin: Origin): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) {
    const certificates = pemCertificates(await read(file, origin));
    if (certificates.length === 0) throw invalid(origin, `${file} holds no PEM certificate`);
    for (const pem of certificates)
      check(() => new X509Certificate(pem), origin, `${file} holds a certificate that cannot be read`);
    found.push(...certificates);
  }
  return found;
}

/**
 * A client certificate and its key, which may lie in one file.
 *
 * @throws OciError CONFIG_INVALID naming the setting and the file.
 */
export async function readClientFiles(
  files: { readonly cert: string; readonly key: string },
  origin: Origin,
): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [await read(files.cert, origin), await read(files.key, origin)];
  const certificate = check(() => new X509Certificate(cert), origin, `${files.cert} holds no PEM certificate`);
  const secret = check(() => createPrivateKey(key), origin, `${files.key} holds no PEM key without a passphrase`);
  if (!certificate.checkPrivateKey(secret)) throw invalid(origin, `${files.key} is not the key of ${files.cert}`);
  return { cert, key };
}

async function read(file: string, origin: Origin): Promise<string> {
  try {
    // Of a pipe or a device the reading would not end.
    if (!(await stat(file)).isFile())
      throw Object.assign(new Error('it is no regular file'), { code: 'no regular file' });
    return await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(origin, `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
}

function check<T>(parse: () => T, origin: Origin, problem: string): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(origin, problem, error);
  }
}

function invalid(origin: Origin, problem: string, cause?: unknown): OciError {
  return new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${problem}`, {
    cause,
    hint: 'Correct the file, or the setting that names it.',
  });
}
