import { posix, win32 } from 'node:path';
import { type Environment, environment } from '../config/environment.ts';
import { defaultCertsDirs } from '../config/paths.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';

export { setCertsDir } from '../config/paths.ts';

/**
 * The certs.d directory that Docker would use here: root's, rootless Docker's, Docker Desktop's; what {@link setCertsDir}
 * chose before all.
 *
 * @see https://docs.docker.com/engine/security/certificates/
 */
export function certsDir(where: Partial<Environment> = {}): string {
  return defaultCertsDirs(environment(where))[0] ?? '/etc/docker/certs.d';
}

/**
 * The directory of one registry's certificates.
 *
 * @param host `host[:port]` as the reference writes it. On Windows, where a file name holds no colon, colons are removed.
 * @throws OciError CONFIG_INVALID for a host that leads out of the directory.
 */
export function hostCertsDir(directory: string, host: string, platform: NodeJS.Platform = process.platform): string {
  const { join } = platform === 'win32' ? win32 : posix;
  const name = platform === 'win32' ? host.replaceAll(':', '') : host;
  // Path traversal: a host of `../..` would have certificates and keys read from anywhere.
  if (name === '' || name === '.' || name.includes('..') || /[/\\\0]/.test(name)) {
    throw new OciError('CONFIG_INVALID', `${quote(host)} cannot be the name of a directory of certificates`);
  }
  return join(directory, name);
}
