/**
 * Everything that flags, environment and files say, read once into one object. Where a list is set in several places the
 * lists add up, flags first, then files from the most personal on; of a single value the first one counts.
 */
import { join } from 'node:path';
import { OciError } from '../model/errors.ts';
import { type Platform, parsePlatform } from '../model/platform.ts';
import { type DaemonJson, parseDaemonJson } from './daemon-json.ts';
import { type AuthEntry, type DockerConfig, loadDockerConfig, parseDockerAuthConfig } from './docker-config.ts';
import { type HostRule, parseHostRules } from './host-rules.ts';
import { validateMirror } from './mirrors.ts';
import { formatOrigin, type Origin, type Sourced } from './origin.ts';
import { daemonJsonFiles, defaultCertsDirs, dockerConfigDir, storeRoot } from './paths.ts';
import { readSettingsFile } from './settings-file.ts';
import { type Surroundings, surroundings, variable } from './surroundings.ts';

/** What the command line said, as it said it. */
export interface SettingsFlags {
  readonly registryMirrors?: readonly string[] | undefined;
  readonly insecureRegistries?: readonly string[] | undefined;
  /** `--config`: the directory of Docker's config.json. */
  readonly dockerConfigDir?: string | undefined;
  readonly certsDir?: string | undefined;
  readonly storeRoot?: string | undefined;
}

/** Settings are immutable; a file that changes later does not change them. */
export interface Settings {
  readonly surroundings: Surroundings;
  readonly storeRoot: Sourced<string>;
  /** As {@link validateMirror} answers them. */
  readonly registryMirrors: readonly Sourced<string>[];
  readonly insecureRegistries: readonly HostRule[];
  readonly allowNondistributableArtifacts: readonly HostRule[];
  readonly maxConcurrentDownloads: Sourced<number>;
  readonly maxConcurrentUploads: Sourced<number>;
  /** Requests for one blob, the first one included. */
  readonly maxDownloadAttempts: Sourced<number>;
  /** `DOCKER_DEFAULT_PLATFORM`: what is meant where a command was told no platform; undefined: the host's. */
  readonly defaultPlatform: Sourced<Platform> | undefined;
  readonly dockerConfigDir: Sourced<string>;
  readonly dockerConfig: DockerConfig;
  /** Entries of `DOCKER_AUTH_CONFIG`, which come before everything else; undefined while it is not set. */
  readonly dockerAuthConfig: readonly AuthEntry[] | undefined;
  /** Searched in order for a directory of the host. */
  readonly certsDirs: readonly Sourced<string>[];
  /** What should be said once on stderr about how the settings were read. */
  readonly warnings: readonly string[];
}

export interface LoadSettingsOptions extends Partial<Surroundings> {
  readonly flags?: SettingsFlags | undefined;
}

/**
 * Reads the settings. Touches no network.
 *
 * @throws OciError CONFIG_INVALID naming the flag, variable or file and line that is wrong.
 */
export async function loadSettings(options: LoadSettingsOptions = {}): Promise<Settings> {
  const where = surroundings(options);
  const { flags = {} } = options;
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const daemons = await readDaemonJson(where, warn);
  const list = (flag: string, values: readonly string[] | undefined, key: ListKey) => [
    ...(values ?? []).map((value) => ({ value, origin: { kind: 'flag', name: flag } as const })),
    ...daemons.flatMap((daemon) => daemon[key]),
  ];
  const configDir = dockerConfigDir(flags.dockerConfigDir, where);
  const authConfig = variable(where.env, 'DOCKER_AUTH_CONFIG');
  return {
    surroundings: where,
    storeRoot: storeRoot(flags.storeRoot, where),
    registryMirrors: readMirrors(list('--registry-mirror', flags.registryMirrors, 'registryMirrors')),
    insecureRegistries: parseHostRules(
      list('--insecure-registry', flags.insecureRegistries, 'insecureRegistries'),
      'insecure-registries',
      warn,
    ),
    allowNondistributableArtifacts: parseHostRules(
      daemons.flatMap((daemon) => daemon.allowNondistributableArtifacts),
      'allow-nondistributable-artifacts',
      warn,
    ),
    maxConcurrentDownloads: first(daemons, 'maxConcurrentDownloads', 3),
    maxConcurrentUploads: first(daemons, 'maxConcurrentUploads', 5),
    maxDownloadAttempts: first(daemons, 'maxDownloadAttempts', 5),
    defaultPlatform: readDefaultPlatform(where),
    dockerConfigDir: configDir,
    dockerConfig: await loadDockerConfig(join(configDir.value, 'config.json')),
    dockerAuthConfig: authConfig === undefined ? undefined : parseDockerAuthConfig(authConfig),
    certsDirs: readCertsDirs(flags.certsDir, where),
    warnings,
  };
}

/**
 * Checks mirrors, drops repetitions and keeps the order.
 *
 * @throws OciError CONFIG_INVALID naming where the mirror was set.
 */
export function readMirrors(entries: readonly Sourced<string>[]): readonly Sourced<string>[] {
  const mirrors = new Map<string, Sourced<string>>();
  for (const { value, origin } of entries) {
    const url = at(origin, () => validateMirror(value));
    if (!mirrors.has(url)) mirrors.set(url, { value: url, origin });
  }
  return [...mirrors.values()];
}

type ListKey = 'registryMirrors' | 'insecureRegistries' | 'allowNondistributableArtifacts';
type CountKey = 'maxConcurrentDownloads' | 'maxConcurrentUploads' | 'maxDownloadAttempts';

function first(daemons: readonly DaemonJson[], key: CountKey, value: number): Sourced<number> {
  const found = daemons.map((daemon) => daemon[key]).find((sourced) => sourced !== undefined);
  return found ?? { value, origin: { kind: 'default', name: "Docker's default" } };
}

// OCICTL_DAEMON_JSON stands for all of Docker's own files; naming one that is not there is a mistake worth telling.
async function readDaemonJson(where: Surroundings, warn: (text: string) => void): Promise<readonly DaemonJson[]> {
  const named = variable(where.env, 'OCICTL_DAEMON_JSON');
  if (named !== undefined) {
    const text = await readSettingsFile(named);
    if (text !== undefined) return [parseDaemonJson(text, named)];
    throw new OciError('CONFIG_INVALID', `OCICTL_DAEMON_JSON names ${named}, which is not there`);
  }
  const daemons: DaemonJson[] = [];
  for (const file of daemonJsonFiles(where)) {
    const text = await readSettingsFile(file, { warn });
    if (text !== undefined) daemons.push(parseDaemonJson(text, file));
  }
  return daemons;
}

function readDefaultPlatform({ env }: Surroundings): Sourced<Platform> | undefined {
  const named = variable(env, 'DOCKER_DEFAULT_PLATFORM');
  if (named === undefined) return undefined;
  const origin: Origin = { kind: 'environment', name: 'DOCKER_DEFAULT_PLATFORM' };
  return { value: at(origin, () => parsePlatform(named)), origin };
}

function readCertsDirs(flag: string | undefined, where: Surroundings): readonly Sourced<string>[] {
  if (flag !== undefined) return [{ value: flag, origin: { kind: 'flag', name: '--certs-dir' } }];
  const named = variable(where.env, 'OCICTL_CERTS_DIR');
  if (named !== undefined) return [{ value: named, origin: { kind: 'environment', name: 'OCICTL_CERTS_DIR' } }];
  return defaultCertsDirs(where).map((value) => ({ value, origin: { kind: 'default', name: value } }));
}

/** Puts the place of a setting in front of what is wrong with it. */
function at<T>(origin: Origin, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}
