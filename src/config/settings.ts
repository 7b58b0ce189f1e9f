/**
 * Reads all flags, variables and files into one object. Lists that are set in several places are concatenated: flags,
 * the environment, then files, the most personal first. Of a single value the first one counts.
 */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { type BaseSettings, type LoadSettingsOptions, readBasis, type SettingsBasis } from './base-settings.ts';
import type { ShortNameRules } from './containers/short-names.ts';
import { type AuthEntry, type DockerConfig, parseDockerAuthConfig, parseDockerConfig } from './docker/docker-config.ts';
import type { ProxySettings, ServiceKeys } from './docker/service-keys.ts';
import { at } from './documents/config-error.ts';
import { type Environment, variable } from './environment.ts';
import { type HostRule, parseHostRules } from './host-rules.ts';
import { validateMirror } from './mirrors.ts';
import { formatOrigin, type Sourced } from './origin.ts';
import { defaultCertsDirs, dockerConfigDir } from './paths.ts';
import { readProxies } from './proxy.ts';
import { loadRegistryFiles } from './registry-files.ts';
import { orderRegistryRules, type RegistryRule } from './registry-rules.ts';

export type { LoadSettingsOptions, SettingsFlags } from './base-settings.ts';

/** Settings are immutable; a file that changes later does not change them. */
export interface Settings extends BaseSettings {
  /** In the form that {@link validateMirror} returns. */
  readonly registryMirrors: readonly Sourced<string>[];
  /** Hosts and networks that may use plain http or any certificate. */
  readonly insecureRegistries: readonly HostRule[];
  /** Hosts and networks to which foreign layers may be pushed. */
  readonly allowNondistributableArtifacts: readonly HostRule[];
  /** Targets in private networks to which registries outside may redirect. */
  readonly allowPrivate: readonly HostRule[];
  /** Undefined if none is configured and there is no home directory. */
  readonly dockerConfigDir: Sourced<string> | undefined;
  /** What config.json says. */
  readonly dockerConfig: DockerConfig;
  /** Entries of `DOCKER_AUTH_CONFIG`, which precede all other credentials; undefined if it is not set. */
  readonly dockerAuthConfig: readonly AuthEntry[] | undefined;
  /** Searched in order for a directory of the host. */
  readonly certsDirs: readonly Sourced<string>[];
  /** Rules for single registries, in the order in which matchRegistryRule tries them. */
  readonly registryRules: readonly RegistryRule[];
  /** Proxies by scheme, and hosts without one. */
  readonly proxy: ProxySettings;
  /** How names without a registry are resolved, with `short-names: containers`; undefined otherwise. */
  readonly shortNameRules: ShortNameRules | undefined;
}

const loadSettingsShape: Shape<LoadSettingsOptions> = {
  flags: 'object',
  env: 'object',
  platform: 'string',
  homedir: 'string',
  uid: 'number',
  etc: 'string',
};

/**
 * Reads the settings. Uses no network.
 *
 * @throws OciError CONFIG_INVALID naming the flag, variable or file and line that is wrong.
 */
export async function loadSettings(options: LoadSettingsOptions = {}): Promise<Settings> {
  checkOptions('loadSettings', options, loadSettingsShape);
  const basis = await readBasis(options);
  const { where, reader, warn, own, files } = basis;
  const { flags = {} } = options;
  const configDir = dockerConfigDir(flags.dockerConfigDir, own?.dockerConfig, where);
  if (configDir !== undefined) await refuseFile(configDir);
  const configFile = configDir && join(configDir.value, 'config.json');
  const [registryFiles, config] = await Promise.all([
    loadRegistryFiles({
      where,
      reader,
      warn,
      hostsDir: environmentSetting('OCICTL_HOSTS_DIR', where) ?? own?.hostsDir,
      shortNames: basis.settings.shortNames.value === 'containers',
    }),
    configFile === undefined ? undefined : reader.read('config.json', configFile, { own: true }),
  ]);
  const authConfig = variable(where.env, 'DOCKER_AUTH_CONFIG');
  return {
    ...basis.settings,
    registryMirrors: readMirrors(
      collect(basis, 'registryMirrors', {
        flag: ['--registry-mirror', flags.registryMirrors],
        variable: 'OCICTL_REGISTRY_MIRRORS',
      }),
    ),
    insecureRegistries: parseHostRules(
      collect(basis, 'insecureRegistries', {
        flag: ['--insecure-registry', flags.insecureRegistries],
        variable: 'OCICTL_INSECURE_REGISTRIES',
      }),
      'insecure-registries',
      warn,
    ),
    allowNondistributableArtifacts: parseHostRules(
      collect(basis, 'allowNondistributableArtifacts'),
      'allow-nondistributable-artifacts',
      warn,
    ),
    allowPrivate: parseHostRules(own?.allowPrivate ?? [], 'allow-private', warn),
    dockerConfigDir: configDir,
    dockerConfig: parseDockerConfig(config?.text ?? '', configFile),
    dockerAuthConfig: authConfig === undefined ? undefined : parseDockerAuthConfig(authConfig),
    certsDirs: readCertsDirs(flags.certsDir, own?.certsDir, where),
    registryRules: orderRegistryRules([...(own?.registries ?? []), ...registryFiles.rules]),
    proxy: readProxies(
      where,
      files.map(({ proxy }) => proxy),
      warn,
    ),
    shortNameRules: registryFiles.shortNames,
    files: reader.considered(),
  };
}

/**
 * Checks mirrors and removes duplicates. The order is kept.
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

// If a file is given instead of the directory, its config.json would seem to be missing.
async function refuseFile({ value, origin }: Sourced<string>): Promise<void> {
  if (origin.kind === 'default') return;
  const found = await stat(value).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return;
  throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${value} is a file, not a directory`, {
    hint: 'name the directory that holds config.json',
  });
}

type ListKey = 'registryMirrors' | 'insecureRegistries' | 'allowNondistributableArtifacts';

interface Places {
  readonly flag: readonly [name: string, values: readonly string[] | undefined];
  readonly variable: string;
}

/** A list from all places where it is set. In a variable, commas separate entries. */
function collect(
  { where, files }: Pick<SettingsBasis, 'where'> & { readonly files: readonly ServiceKeys[] },
  key: ListKey,
  places?: Places,
): readonly Sourced<string>[] {
  const [flag = '', values = []] = places?.flag ?? [];
  const listed = places && environmentSetting(places.variable, where);
  const words = listed?.value.split(',').map((word) => word.trim()) ?? [];
  return [
    ...values.map((value) => ({ value, origin: { kind: 'flag', name: flag } as const })),
    ...words.flatMap((value) => (listed && value !== '' ? [{ value, origin: listed.origin }] : [])),
    ...files.flatMap((file) => file[key]),
  ];
}

function readCertsDirs(
  flag: string | undefined,
  own: Sourced<string> | undefined,
  where: Environment,
): readonly Sourced<string>[] {
  if (flag !== undefined) return [{ value: flag, origin: { kind: 'flag', name: '--certs-dir' } }];
  const single = environmentSetting('OCICTL_CERTS_DIR', where) ?? own;
  if (single) return [single];
  return defaultCertsDirs(where).map((value) => ({ value, origin: { kind: 'default', name: value } }));
}

/** The value of a variable, with its origin. */
export function environmentSetting(name: string, { env }: Environment): Sourced<string> | undefined {
  const value = variable(env, name);
  return value === undefined ? undefined : { value, origin: { kind: 'environment', name } };
}
