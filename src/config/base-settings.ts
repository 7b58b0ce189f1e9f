/** The settings for commands that contact no registry; all other settings build on them. */
import { OciError } from '../model/errors.ts';
import { type Platform, parsePlatform } from '../model/platform/platform.ts';
import { quote } from '../model/quote.ts';
import { type CompletionSource, completionSources } from './completion-source.ts';
import { parseDaemonJson } from './docker/daemon-json.ts';
import type { ServiceKeys } from './docker/service-keys.ts';
import { at } from './documents/config-error.ts';
import { type Environment, environment, variable } from './environment.ts';
import type { ConfigYaml, ShortNames } from './ocictl/config-yaml.ts';
import type { Origin, Sourced } from './origin.ts';
import { configYamlFile, daemonJsonFiles, storeRoot } from './paths.ts';
import { type ConsideredFile, createSettingsReader, type SettingsReader } from './settings-file.ts';
import type { TrustSettings } from './trust-rules.ts';

/** Flags of the command line, as written. */
export interface SettingsFlags {
  /** `--registry-mirror`: URLs of mirrors of Docker Hub. */
  readonly registryMirrors?: readonly string[] | undefined;
  /** `--insecure-registry`: hosts, `host:port` and networks. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** `--config`: the directory of Docker's config.json. */
  readonly dockerConfigDir?: string | undefined;
  /** `--certs-dir`: has a directory for each `host[:port]`. */
  readonly certsDir?: string | undefined;
  /** The directory of the local store. */
  readonly storeRoot?: string | undefined;
}

export interface LoadSettingsOptions extends Partial<Environment> {
  /** What a command line would set, which precedes every file. */
  readonly flags?: SettingsFlags | undefined;
}

/** Settings of the local store and this machine. */
export interface BaseSettings {
  /** What the settings were looked up in. */
  readonly environment: Environment;
  /** Undefined if none is configured and there is no home directory. */
  readonly storeRoot: Sourced<string> | undefined;
  /** Blobs that are downloaded at once. */
  readonly maxConcurrentDownloads: Sourced<number>;
  /** Blobs that are uploaded at once. */
  readonly maxConcurrentUploads: Sourced<number>;
  /** Maximum number of requests for one blob, including the first. */
  readonly maxDownloadAttempts: Sourced<number>;
  /** The platform if a command is given none; undefined: the host's. */
  readonly defaultPlatform: Sourced<Platform> | undefined;
  /** How names without a registry are resolved: to images of Docker Hub, or by registries.conf. */
  readonly shortNames: Sourced<ShortNames>;
  /** Whether tokens may be kept for later commands. */
  readonly tokenCache: Sourced<'on' | 'off'>;
  /** Whether the identity that this machine has in a cloud is used for the registries of that cloud. */
  readonly cloudLogins: Sourced<'on' | 'off'>;
  /** Whether completion of words may ask a registry, or only the local store. */
  readonly completion: Sourced<'registry' | 'local'>;
  /** What images must have to be copied; undefined if nothing is demanded. */
  readonly trust: TrustSettings | undefined;
  /** Files where settings were looked for. */
  readonly files: readonly ConsideredFile[];
  /** Warnings about the settings, to be printed once on stderr. */
  readonly warnings: readonly string[];
}

/** The state from which the remaining settings are read. */
export interface SettingsBasis {
  readonly where: Environment;
  readonly reader: SettingsReader;
  readonly warn: (text: string) => void;
  /** ocictl's own config.yaml. */
  readonly own: ConfigYaml | undefined;
  /** config.yaml and the daemon.json files, in order of precedence. */
  readonly files: readonly ServiceKeys[];
  /** All base settings except the files. */
  readonly settings: Omit<BaseSettings, 'files'>;
}

/**
 * Reads the settings that need no registry: no credentials, and no rules for single registries.
 *
 * @throws OciError CONFIG_INVALID naming the flag, variable or file and line that is wrong.
 */
export async function loadBaseSettings(options: LoadSettingsOptions = {}): Promise<BaseSettings> {
  const { settings, reader } = await readBasis(options);
  return { ...settings, files: reader.considered() };
}

const onByDefault: Sourced<'on' | 'off'> = { value: 'on', origin: { kind: 'default', name: 'default' } };

/** @throws OciError CONFIG_INVALID */
export async function readBasis(options: LoadSettingsOptions): Promise<SettingsBasis> {
  const where = environment(options);
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const reader = createSettingsReader(warn);
  const [own, daemons] = await Promise.all([readConfigYaml(where, reader), readDaemonJson(where, reader)]);
  const files = own ? [own, ...daemons] : daemons;
  const settings = {
    environment: where,
    storeRoot: storeRoot(options.flags?.storeRoot, own?.root, where),
    maxConcurrentDownloads: first(files, 'maxConcurrentDownloads', 4, byThroughput),
    maxConcurrentUploads: first(files, 'maxConcurrentUploads', 4, byThroughput),
    maxDownloadAttempts: first(files, 'maxDownloadAttempts', 5),
    defaultPlatform: readDefaultPlatform(where) ?? own?.platform,
    shortNames: own?.shortNames ?? {
      value: 'docker' as const,
      origin: { kind: 'default' as const, name: "Docker's default" },
    },
    completion: readCompletion(where) ??
      own?.completion ?? {
        value: 'registry' as const,
        origin: { kind: 'default' as const, name: 'default' },
      },
    tokenCache: own?.tokenCache ?? onByDefault,
    cloudLogins: own?.cloudLogins ?? onByDefault,
    trust: await own?.trust?.(),
    warnings,
  };
  return { where, reader, warn, own, files, settings };
}

/** @throws OciError CONFIG_INVALID */
function readCompletion({ env }: Environment): Sourced<CompletionSource> | undefined {
  const named = variable(env, 'OCICTL_COMPLETION');
  if (named === undefined) return undefined;
  const origin = { kind: 'environment' as const, name: 'OCICTL_COMPLETION' };
  const value = completionSources.find((source) => source === named);
  if (value) return { value, origin };
  throw new OciError(
    'CONFIG_INVALID',
    `OCICTL_COMPLETION must be one of ${completionSources.join(', ')}, not ${quote(named)}`,
  );
}

type CountKey = 'maxConcurrentDownloads' | 'maxConcurrentUploads' | 'maxDownloadAttempts';

/** As `transfer/lanes.ts` does where no number is set. */
const byThroughput = 'blobs above 1 MiB to begin with, and up to 8 where that is faster';

function first(files: readonly ServiceKeys[], key: CountKey, value: number, why = "Docker's default"): Sourced<number> {
  const found = files.map((file) => file[key]).find((sourced) => sourced !== undefined);
  return found ?? { value, origin: { kind: 'default', name: why } };
}

/** @throws OciError CONFIG_INVALID */
export async function readConfigYaml(where: Environment, reader: SettingsReader): Promise<ConfigYaml | undefined> {
  const named = variable(where.env, 'OCICTL_CONFIG');
  const file = named ?? configYamlFile(where);
  if (file === undefined) return undefined;
  const text = await reader.read('config.yaml', file, {
    own: true,
    namedBy: named === undefined ? undefined : 'OCICTL_CONFIG',
  });
  if (text === undefined) return undefined;
  const { parseConfigYaml } = await import('./ocictl/config-yaml.ts');
  return parseConfigYaml(text, where.homedir);
}

/**
 * Reads Docker's daemon.json files. OCICTL_DAEMON_JSON replaces all of them, and it is an error if that file does not exist.
 *
 * @throws OciError CONFIG_INVALID
 */
export async function readDaemonJson(where: Environment, reader: SettingsReader): Promise<readonly ServiceKeys[]> {
  const named = variable(where.env, 'OCICTL_DAEMON_JSON');
  const texts =
    named === undefined
      ? await Promise.all(daemonJsonFiles(where).map((file) => reader.read('daemon.json', file)))
      : [await reader.read('daemon.json', named, { namedBy: 'OCICTL_DAEMON_JSON' })];
  return texts.flatMap((found) => (found ? [parseDaemonJson(found.text, found.file)] : []));
}

function readDefaultPlatform({ env }: Environment): Sourced<Platform> | undefined {
  const named = variable(env, 'DOCKER_DEFAULT_PLATFORM');
  if (named === undefined) return undefined;
  const origin: Origin = { kind: 'environment', name: 'DOCKER_DEFAULT_PLATFORM' };
  return { value: at(origin, () => parsePlatform(named)), origin };
}
