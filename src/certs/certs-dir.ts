import { posix, win32 } from 'node:path';
import { type Environment, environment } from '../config/environment.ts';
import { defaultCertsDirs } from '../config/paths.ts';
import { checkArgument, checkOptions } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';

/**
 * The certs.d directory that Docker would use here: root's, rootless Docker's, Docker Desktop's.
 * `SettingsFlags.certsDir` names another one for one service.
 *
 * @see https://docs.docker.com/engine/security/certificates/
 */
export function certsDir(where: Partial<Environment> = {}): string {
  checkOptions('certsDir', where, {
    env: 'object',
    platform: 'string',
    homedir: 'string',
    uid: 'number',
    etc: 'string',
  });
  return defaultCertsDirs(environment(where))[0] ?? '/etc/docker/certs.d';
}

/**
 * The directory with one registry's certificates.
 *
 * @param host `host[:port]` as in the reference. On Windows colons are removed, because file names cannot contain them.
 * @throws OciError CONFIG_INVALID for a host that leads out of the directory.
 */
export function hostCertsDir(directory: string, host: string, platform: NodeJS.Platform = process.platform): string {
  checkArgument('hostCertsDir', 'the directory', directory, 'string');
  checkArgument('hostCertsDir', 'the host', host, 'string');
  checkArgument('hostCertsDir', 'the platform', platform, 'string');
  const { join } = platform === 'win32' ? win32 : posix;
  const name = platform === 'win32' ? host.replaceAll(':', '') : host;
  // Path traversal: with a host of `../..`, certificates and keys would be read from elsewhere.
  if (name === '' || name === '.' || name.includes('..') || /[/\\\0]/.test(name)) {
    throw new OciError('CONFIG_INVALID', `${quote(host)} cannot be the name of a directory of certificates`);
  }
  return join(directory, name);
}
