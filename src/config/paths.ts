/** Where Docker's files and our store are, by platform. macOS and Windows follow Docker Desktop and are untested. */
import { isAbsolute, join, win32 } from 'node:path';
import type { Origin, Sourced } from './origin.ts';
import { type Surroundings, variable } from './surroundings.ts';

/**
 * The daemon.json files that count, most personal first.
 *
 * @see https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
 */
export function daemonJsonFiles(where: Surroundings): readonly string[] {
  const { platform, homedir } = where;
  if (platform === 'win32')
    return [join(homedir, '.docker', 'daemon.json'), dockerProgramData(where, 'config', 'daemon.json')];
  const system = '/etc/docker/daemon.json';
  if (platform === 'darwin') return [join(homedir, '.docker', 'daemon.json'), system];
  return isRoot(where) ? [system] : [join(configHome(where), 'docker', 'daemon.json'), system];
}

/**
 * The certs.d directories, the one that Docker itself would use first. The first that has a directory for the host counts.
 *
 * @see https://docs.docker.com/engine/security/certificates/
 */
export function defaultCertsDirs(where: Surroundings): readonly string[] {
  const { platform, homedir } = where;
  if (platform === 'win32') return [dockerProgramData(where, 'certs.d'), join(homedir, '.docker', 'certs.d')];
  const system = '/etc/docker/certs.d';
  if (platform === 'darwin') return [join(homedir, '.docker', 'certs.d'), system];
  return isRoot(where) ? [system] : [join(configHome(where), 'docker', 'certs.d'), system];
}

/** The directory of config.json: the flag, `DOCKER_CONFIG`, `~/.docker`. */
export function dockerConfigDir(flag: string | undefined, where: Surroundings): Sourced<string> {
  if (flag !== undefined) return { value: flag, origin: { kind: 'flag', name: '--config' } };
  const named = variable(where.env, 'DOCKER_CONFIG');
  if (named !== undefined) return { value: named, origin: environment('DOCKER_CONFIG') };
  return { value: join(where.homedir, '.docker'), origin: { kind: 'default', name: '~/.docker' } };
}

/** The local store: the flag, `OCICTL_ROOT`, `$XDG_DATA_HOME/ocictl`, `~/.local/share/ocictl`. */
export function storeRoot(flag: string | undefined, where: Surroundings): Sourced<string> {
  if (flag !== undefined) return { value: flag, origin: { kind: 'flag', name: '--root' } };
  const named = variable(where.env, 'OCICTL_ROOT');
  if (named !== undefined) return { value: named, origin: environment('OCICTL_ROOT') };
  const data = xdg(where, 'XDG_DATA_HOME');
  if (data !== undefined) return { value: join(data, 'ocictl'), origin: environment('XDG_DATA_HOME') };
  const value = join(where.homedir, '.local', 'share', 'ocictl');
  return { value, origin: { kind: 'default', name: '~/.local/share/ocictl' } };
}

function environment(name: string): Origin {
  return { kind: 'environment', name };
}

function isRoot({ uid }: Surroundings): boolean {
  return uid === 0;
}

function configHome(where: Surroundings): string {
  return xdg(where, 'XDG_CONFIG_HOME') ?? join(where.homedir, '.config');
}

// The XDG specification has relative paths ignored.
function xdg({ env }: Surroundings, name: string): string | undefined {
  const value = variable(env, name);
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

function dockerProgramData({ env }: Surroundings, ...parts: readonly string[]): string {
  return win32.join(variable(env, 'ProgramData') ?? 'C:\\ProgramData', 'docker', ...parts);
}
