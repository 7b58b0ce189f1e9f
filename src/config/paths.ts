/**
 * Locations of Docker's files and our store on each platform. macOS and Windows follow Docker Desktop and are untested.
 * Without a home directory, locations below it are left out.
 */
import { isAbsolute, join, win32 } from 'node:path';
import { type Environment, variable } from './environment.ts';
import type { Origin, Sourced } from './origin.ts';

/**
 * ocictl's own config.yaml, unless `OCICTL_CONFIG` names another. On macOS it is in ~/.config, as for other command lines.
 */
export function configYamlFile(where: Environment): string | undefined {
  const { platform, homedir, env } = where;
  if (platform !== 'win32') return below(configHome(where), 'ocictl', 'config.yaml');
  const roaming = variable(env, 'APPDATA') ?? (homedir && win32.join(homedir, 'AppData', 'Roaming'));
  return roaming && win32.join(roaming, 'ocictl', 'config.yaml');
}

/**
 * The daemon.json files, the user's first.
 *
 * @see https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
 */
export function daemonJsonFiles(where: Environment): readonly string[] {
  const { platform, homedir } = where;
  if (platform === 'win32')
    return known(below(homedir, '.docker', 'daemon.json'), dockerProgramData(where, 'config', 'daemon.json'));
  const system = systemFile(where, 'docker/daemon.json');
  if (platform === 'darwin') return known(below(homedir, '.docker', 'daemon.json'), system);
  return isRoot(where) ? [system] : known(below(configHome(where), 'docker', 'daemon.json'), system);
}

/**
 * The certs.d directories: Docker's, starting with the one that Docker itself would use first, then those of the
 * containers tools. The first that has a directory for the host counts.
 *
 * @see https://docs.docker.com/engine/security/certificates/
 * @see https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md
 */
export function defaultCertsDirs(where: Environment): readonly string[] {
  const { platform, homedir } = where;
  if (platform === 'win32') return known(dockerProgramData(where, 'certs.d'), below(homedir, '.docker', 'certs.d'));
  const system = systemFile(where, 'docker/certs.d');
  const containers = containersDirs(where).map((directory) => join(directory, 'certs.d'));
  if (platform === 'darwin') return known(below(homedir, '.docker', 'certs.d'), system, ...containers);
  return known(isRoot(where) ? undefined : below(configHome(where), 'docker', 'certs.d'), system, ...containers);
}

/** Directories of registries.conf: the user's, then the system's. The containers tools have none on Windows. */
export function containersDirs(where: Environment): readonly string[] {
  if (where.platform === 'win32') return [];
  return known(below(configHome(where), 'containers'), systemFile(where, 'containers'));
}

/** The file in which the containers tools record the aliases that users chose. */
export function containersAliasFile(where: Environment): string | undefined {
  const cache = isRoot(where) ? '/var/cache' : (xdg(where, 'XDG_CACHE_HOME') ?? below(where.homedir, '.cache'));
  return below(cache, 'containers', 'short-name-aliases.conf');
}

/** What may be lost: `$XDG_CACHE_HOME/ocictl`, by default `~/.cache/ocictl`; on Windows in the local application data. */
export function cacheDirectory(where: Environment): string | undefined {
  if (where.platform === 'win32') return below(variable(where.env, 'LOCALAPPDATA'), 'ocictl', 'cache');
  return below(xdg(where, 'XDG_CACHE_HOME') ?? below(where.homedir, '.cache'), 'ocictl');
}

/** The directory that the system keeps for this user while logged in, if there is one. Whether it is private is not checked here. */
export function runtimeDirectory(where: Environment): string | undefined {
  return xdg(where, 'XDG_RUNTIME_DIR');
}

/** The roots of containerd's `HOST/hosts.toml`: the rootless one, then the system's. On Linux only. */
export function hostsDirs(where: Environment): readonly string[] {
  const { platform } = where;
  if (platform === 'win32' || platform === 'darwin') return [];
  const system = systemFile(where, 'containerd/certs.d');
  return isRoot(where) ? [system] : known(below(configHome(where), 'containerd', 'certs.d'), system);
}

/** The directory of config.json: from the flag, `DOCKER_CONFIG` or config.yaml; default `~/.docker`. */
export function dockerConfigDir(
  flag: string | undefined,
  own: Sourced<string> | undefined,
  where: Environment,
): Sourced<string> | undefined {
  if (flag !== undefined) return { value: flag, origin: { kind: 'flag', name: '--config' } };
  const named = variable(where.env, 'DOCKER_CONFIG');
  if (named !== undefined) return { value: named, origin: byVariable('DOCKER_CONFIG') };
  if (own) return own;
  const value = below(where.homedir, '.docker');
  return value === undefined ? undefined : { value, origin: { kind: 'default', name: '~/.docker' } };
}

/**
 * The files where podman, skopeo and buildah store logins, in the order in which they read them.
 *
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
export function containersAuthFiles(where: Environment): readonly string[] {
  const named = variable(where.env, 'REGISTRY_AUTH_FILE');
  if (named !== undefined) return [named];
  const runtime = runtimeDirectory(where);
  const personal = below(configHome(where), 'containers', 'auth.json');
  if (runtime !== undefined) return known(join(runtime, 'containers', 'auth.json'), personal);
  return known(where.platform === 'linux' ? `/run/containers/${where.uid}/auth.json` : undefined, personal);
}

/** Where podman keeps images of this user: it is there where somebody has used it. */
export function containersStorage(where: Environment): string | undefined {
  if (isRoot(where)) return '/var/lib/containers/storage';
  const data = xdg(where, 'XDG_DATA_HOME') ?? below(where.homedir, '.local', 'share');
  return below(data, 'containers', 'storage');
}

/**
 * The local store: from the flag, `OCICTL_ROOT` or config.yaml; default `$XDG_DATA_HOME/ocictl`, `~/.local/share/ocictl`.
 */
export function storeRoot(
  flag: string | undefined,
  own: Sourced<string> | undefined,
  where: Environment,
): Sourced<string> | undefined {
  if (flag !== undefined) return { value: flag, origin: { kind: 'flag', name: '--root' } };
  const named = variable(where.env, 'OCICTL_ROOT');
  if (named !== undefined) return { value: named, origin: byVariable('OCICTL_ROOT') };
  if (own) return own;
  const data = xdg(where, 'XDG_DATA_HOME');
  if (data !== undefined) return { value: join(data, 'ocictl'), origin: byVariable('XDG_DATA_HOME') };
  const value = below(where.homedir, '.local', 'share', 'ocictl');
  return value === undefined ? undefined : { value, origin: { kind: 'default', name: '~/.local/share/ocictl' } };
}

function byVariable(name: string): Origin {
  return { kind: 'environment', name };
}

function isRoot({ uid }: Environment): boolean {
  return uid === 0;
}

function systemFile({ etc = '/etc' }: Environment, path: string): string {
  return join(etc, path);
}

function configHome(where: Environment): string | undefined {
  return xdg(where, 'XDG_CONFIG_HOME') ?? below(where.homedir, '.config');
}

function below(directory: string | undefined, ...parts: readonly string[]): string | undefined {
  return directory === undefined ? undefined : join(directory, ...parts);
}

function known(...paths: readonly (string | undefined)[]): readonly string[] {
  return paths.filter((path) => path !== undefined);
}

// The XDG specification says to ignore relative paths.
function xdg({ env }: Environment, name: string): string | undefined {
  const value = variable(env, name);
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

function dockerProgramData({ env }: Environment, ...parts: readonly string[]): string {
  return win32.join(variable(env, 'ProgramData') ?? 'C:\\ProgramData', 'docker', ...parts);
}
