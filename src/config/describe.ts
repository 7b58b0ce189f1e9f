/** The effective settings, for people and programs. They contain no secrets. */
import { formatPlatform, hostPlatform } from '../model/platform/platform.ts';
import { type AuthEntry, maskAuthKey } from './docker/docker-config.ts';
import { type HostRule, hostRuleText } from './host-rules.ts';
import type { Origin, Sourced } from './origin.ts';
import { maskProxy } from './proxy.ts';
import type { RegistryRule, RegistrySource } from './registry-rules.ts';
import type { Settings } from './settings.ts';

export interface ShownValue {
  /** One line for people. */
  readonly text: string;
  /** The value for programs. */
  readonly value: unknown;
  readonly origin: Origin;
}

export interface ShownSetting {
  /** The key in config.yaml, if it can be set there. */
  readonly key: string;
  /** Whether it can have several values. */
  readonly list: boolean;
  readonly values: readonly ShownValue[];
}

/** All settings. A setting that is not set has no values. */
export function describeSettings(settings: Settings): readonly ShownSetting[] {
  const { dockerConfig, proxy } = settings;
  const platform = settings.defaultPlatform ?? {
    value: hostPlatform(),
    origin: { kind: 'default', name: 'this machine' } as const,
  };
  return [
    single('root', settings.storeRoot),
    single('platform', { ...platform, value: formatPlatform(platform.value) }),
    list('registry-mirrors', settings.registryMirrors.map(plain)),
    list('insecure-registries', settings.insecureRegistries.map(hostRule)),
    list('allow-nondistributable-artifacts', settings.allowNondistributableArtifacts.map(hostRule)),
    list('allow-private', settings.allowPrivate.map(hostRule)),
    single('max-concurrent-downloads', settings.maxConcurrentDownloads),
    single('max-concurrent-uploads', settings.maxConcurrentUploads),
    single('max-download-attempts', settings.maxDownloadAttempts),
    list('certs-dir', settings.certsDirs.map(plain)),
    single('http-proxy', masked(proxy.http)),
    single('https-proxy', masked(proxy.https)),
    single('all-proxy', masked(proxy.all)),
    single('no-proxy', proxy.noProxy),
    single('short-names', settings.shortNames),
    list('unqualified-search-registries', (settings.shortNameRules?.search ?? []).map(plain)),
    list(
      'aliases',
      [...(settings.shortNameRules?.aliases ?? [])].map(([name, { value, origin }]) =>
        plain({ value: `${name} = ${value}`, origin }),
      ),
    ),
    list('registries', settings.registryRules.map(rule)),
    list('trust', (settings.trust?.rules ?? []).map(plain)),
    single('token-cache', settings.tokenCache),
    single('cloud-logins', settings.cloudLogins),
    single('completion', settings.completion),
    single('docker-config', settings.dockerConfigDir),
    single('credsStore', dockerConfig.credsStore),
    list(
      'credHelpers',
      [...dockerConfig.credHelpers].map(([host, { value, origin }]) => plain({ value: `${host} ${value}`, origin })),
    ),
    list('auths', [...(settings.dockerAuthConfig ?? []), ...dockerConfig.auths].map(login)),
    list('HttpHeaders', Object.keys(dockerConfig.httpHeaders).map(header(dockerConfig.file ?? 'config.json'))),
  ];
}

function single(key: string, setting: Sourced<string | number> | undefined): ShownSetting {
  return { key, list: false, values: setting ? [plain(setting)] : [] };
}

function list(key: string, values: readonly ShownValue[]): ShownSetting {
  return { key, list: true, values };
}

function plain({ value, origin }: Sourced<string | number>): ShownValue {
  return { text: String(value), value, origin };
}

function masked(setting: Sourced<string> | undefined): Sourced<string> | undefined {
  return setting && { ...setting, value: maskProxy(setting.value) };
}

function hostRule(entry: HostRule): ShownValue {
  return plain({ value: hostRuleText(entry), origin: entry.origin });
}

function login({ key, origin }: AuthEntry): ShownValue {
  return plain({ value: maskAuthKey(key), origin });
}

function header(file: string): (name: string) => ShownValue {
  return (name) => plain({ value: name, origin: { kind: 'file', name: file } });
}

function rule({ prefix, origin, blocked, mirrors, server }: RegistryRule): ShownValue {
  const says = [
    ...(blocked ? ['blocked'] : []),
    ...mirrors.map((mirror) => `mirror ${describeSource(mirror)}`),
    ...(server ? [`server ${describeSource(server)}`] : []),
  ];
  const value = { prefix, blocked, mirrors: mirrors.map(sourceValue), ...(server && { server: sourceValue(server) }) };
  return { text: `${prefix}: ${says.join('; ') || 'nothing particular'}`, value, origin };
}

function describeSource(source: RegistrySource): string {
  const { host, scheme, path, repositoryPrefix, insecure, references } = source;
  const place = `${scheme === undefined ? '' : `${scheme}://`}${host ?? 'at its name'}${path === '/' ? '' : path}`;
  const can = (['pull', 'resolve', 'push'] as const).filter((capability) => source[capability]);
  const notes = [
    ...(insecure ? ['insecure'] : []),
    ...(references === 'all' ? [] : [`${references} only`]),
    ...(can.length === 3 ? [] : [can.join('+') || 'nothing']),
  ];
  return `${place}${repositoryPrefix === undefined ? '' : `/${repositoryPrefix}`}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

/** Headers are often tokens, so only their names are shown. */
function sourceValue(source: RegistrySource): unknown {
  return { ...source, headers: Object.keys(source.headers) };
}
