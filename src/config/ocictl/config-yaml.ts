/** ocictl's own config.yaml; docs/configuration.md describes its keys. */
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { quote } from '../../model/quote.ts';
import { looksLikeDomain } from '../../model/reference/reference-grammar.ts';
import { type CompletionSource, completionSources } from '../completion-source.ts';
import { type ProxySettings, readServiceKeys, type ServiceKeys } from '../docker/service-keys.ts';
import { at, configError } from '../documents/config-error.ts';
import { readDurationMs } from '../documents/duration.ts';
import { type Fields, fieldsOf } from '../documents/fields.ts';
import { type KnownKeys, refuseUnknownKeys } from '../documents/known-keys.ts';
import { pathsIn } from '../documents/resolve-path.ts';
import {
  isForOneReference,
  readLocation,
  readPrefix,
  readSourceUrl,
  ruleLocation,
} from '../documents/rule-location.ts';
import { parseYamlDocument } from '../documents/yaml-document.ts';
import { readHeaders } from '../headers.ts';
import type { Origin, Sourced } from '../origin.ts';
import { defaultPrefix, plainSource, type RegistryRule, type RegistrySource, splitPrefix } from '../registry-rules.ts';
import type { SettingsText } from '../settings-file.ts';
import type { TrustSettings } from '../trust-rules.ts';

/** How names without a registry are resolved: to images of Docker Hub, or by registries.conf. */
export type ShortNames = 'docker' | 'containers';

export interface ConfigYaml extends ServiceKeys {
  readonly root: Sourced<string> | undefined;
  readonly certsDir: Sourced<string> | undefined;
  readonly hostsDir: Sourced<string> | undefined;
  readonly dockerConfig: Sourced<string> | undefined;
  readonly platform: Sourced<Platform> | undefined;
  readonly shortNames: Sourced<ShortNames> | undefined;
  readonly tokenCache: Sourced<'on' | 'off'> | undefined;
  readonly cloudLogins: Sourced<'on' | 'off'> | undefined;
  readonly completion: Sourced<CompletionSource> | undefined;
  readonly allowPrivate: readonly Sourced<string>[];
  readonly proxy: ProxySettings;
  readonly registries: readonly RegistryRule[];
  /** Reads what images must have to be copied. @throws OciError CONFIG_INVALID */
  readonly trust: (() => Promise<TrustSettings>) | undefined;
}

const sourceKeys: KnownKeys = {
  url: true,
  location: true,
  insecure: true,
  references: true,
  capabilities: true,
  'override-path': true,
  'namespace-query': true,
  ca: true,
  client: [{ cert: true, key: true }],
  headers: true,
  'connect-timeout': true,
};

const keys: KnownKeys = {
  'registry-mirrors': true,
  'insecure-registries': true,
  'allow-nondistributable-artifacts': true,
  'max-concurrent-downloads': true,
  'max-concurrent-uploads': true,
  'max-download-attempts': true,
  root: true,
  'certs-dir': true,
  'hosts-dir': true,
  'docker-config': true,
  platform: true,
  'short-names': true,
  'token-cache': true,
  'cloud-logins': true,
  completion: true,
  'allow-private': true,
  proxies: { 'http-proxy': true, 'https-proxy': true, 'all-proxy': true, 'no-proxy': true },
  registries: [{ prefix: true, blocked: true, mirrors: [sourceKeys], server: sourceKeys }],
  trust: true,
};

/**
 * Parses ocictl's config.yaml.
 *
 * @param homedir Replaces `~` in `~/`. Other relative paths are relative to the file.
 * @throws OciError CONFIG_INVALID naming file and line, and the column of syntax errors and unknown keys.
 */
export function parseConfigYaml({ file, text }: SettingsText, homedir: string | undefined): ConfigYaml {
  const document = parseYamlDocument(text, file);
  const fields = fieldsOf(document, file);
  refuseUnknownKeys(document, keys, file);
  const resolve: Resolve = pathsIn(file, homedir);
  const path = (key: string): Sourced<string> | undefined => {
    const found = fields.string(key);
    return found && { value: resolve(found.value), origin: found.origin };
  };
  const platform = fields.string('platform');
  return {
    ...readServiceKeys(fields),
    root: path('root'),
    certsDir: path('certs-dir'),
    hostsDir: path('hosts-dir'),
    dockerConfig: path('docker-config'),
    platform: platform && {
      value: at(platform.origin, () => parsePlatform(platform.value)),
      origin: platform.origin,
    },
    shortNames: fields.choice('short-names', ['docker', 'containers']),
    tokenCache: fields.choice('token-cache', ['on', 'off']),
    cloudLogins: fields.choice('cloud-logins', ['on', 'off']),
    completion: fields.choice('completion', completionSources),
    allowPrivate: fields.strings('allow-private'),
    registries: readRules(fields, resolve),
    trust: fields.object('trust') && (() => readTrust({ document, file, at: 'trust', resolve })),
  };
}

// Loaded only where there is such a section.
async function readTrust(section: Parameters<ParseTrust>[0]): Promise<TrustSettings> {
  const [{ parseTrustPolicy }, { describeTrustRule }] = await Promise.all([
    import('./trust-policy.ts'),
    import('../trust-rules.ts'),
  ]);
  return { file: section.file, rules: parseTrustPolicy(section).rules.map(describeTrustRule) };
}

type ParseTrust = typeof import('./trust-policy.ts').parseTrustPolicy;

type Resolve = (path: string) => string;

function readRules(fields: Fields, resolve: Resolve): readonly RegistryRule[] {
  const rules = new Map<string, RegistryRule>();
  for (const words of fields.objects('registries')) {
    const rule = readRule(words, resolve);
    const first = rules.get(rule.prefix);
    if (first) throw configError(rule.origin, `${rule.prefix} has a rule already, in line ${first.origin.line}`);
    rules.set(rule.prefix, rule);
  }
  return [...rules.values()];
}

function readRule(fields: Fields, resolve: Resolve): RegistryRule {
  const named = fields.string('prefix');
  if (named === undefined) throw configError(fields.origin, 'a rule in registries needs a prefix');
  const prefix = readPrefix(named);
  refuseUnmatchable(prefix, named.origin);
  if (isForOneReference(prefix)) throw configError(named.origin, 'a rule cannot be for a single tag or digest');
  const server = fields.stringOrObject('server');
  return {
    prefix,
    origin: fields.origin,
    blocked: fields.boolean('blocked')?.value ?? false,
    mirrors: fields.mixed('mirrors').map((words) => readSource(words, { prefix, resolve, mirror: true })),
    ...(server && { server: readSource(server, { prefix, resolve, mirror: false }) }),
  };
}

// Such a rule would never match: references always contain docker.io for Docker Hub, and a dot or port for others.
function refuseUnmatchable(prefix: string, origin: Origin): void {
  const { host, path } = splitPrefix(prefix);
  if (host === 'index.docker.io' || host === 'registry-1.docker.io') {
    const hint = `write ${['docker.io', path].filter((part) => part !== '').join('/')}`;
    throw configError(origin, `${quote(prefix)} covers nothing: images of Docker Hub are in docker.io`, hint);
  }
  if (host === defaultPrefix || looksLikeDomain(host)) return;
  const meant = path === '' ? `docker.io/library/${host}` : `docker.io/${prefix}`;
  throw configError(
    origin,
    `${quote(prefix)} covers nothing: ${quote(host)} is not a registry, because it has neither a dot nor a port`,
    `for images of Docker Hub write ${meant}`,
  );
}

interface SourceContext {
  readonly prefix: string;
  readonly resolve: Resolve;
  readonly mirror: boolean;
}

// A plain string is a URL if it has a scheme, and a location otherwise.
function readSource(words: Fields | Sourced<string>, context: SourceContext): RegistrySource {
  const base = { ...plainSource, push: !context.mirror };
  if ('value' in words) {
    const place = words.value.includes('://')
      ? readSourceUrl(words, false)
      : ruleLocation(readLocation(words), context.prefix);
    return { ...base, ...place, origin: words.origin };
  }
  const { resolve } = context;
  const timeout = words.string('connect-timeout');
  return {
    ...base,
    ...readRuleLocation(words, context),
    origin: words.origin,
    overridePath: words.boolean('override-path')?.value ?? false,
    insecure: words.boolean('insecure')?.value ?? false,
    references: words.choice('references', ['all', 'digests', 'tags'])?.value ?? 'all',
    ...readCapabilities(words),
    namespaceQuery: words.boolean('namespace-query')?.value ?? false,
    ca: words.stringOrStrings('ca').map(({ value }) => resolve(value)),
    clients: words.objects('client').map((pair) => {
      const cert = pair.string('cert')?.value ?? pair.refuse('there', 'cert');
      return { cert: resolve(cert), key: resolve(pair.string('key')?.value ?? cert) };
    }),
    headers: readHeaders(words, 'headers'),
    ...(timeout && { connectTimeoutMs: readDurationMs(timeout) }),
  };
}

function readRuleLocation(words: Fields, { prefix, mirror }: SourceContext): Partial<RegistrySource> {
  const [url, location] = [words.string('url'), words.string('location')];
  if (url && location) throw configError(words.origin, 'url and location exclude each other');
  if (url) return readSourceUrl(url, words.boolean('override-path')?.value ?? false);
  if (words.boolean('override-path')?.value) throw configError(words.origin, 'override-path needs a url');
  if (location) return ruleLocation(readLocation(location), prefix);
  if (mirror) throw configError(words.origin, 'a mirror needs a url or a location');
  return {};
}

function readCapabilities(words: Fields): Partial<Pick<RegistrySource, 'pull' | 'resolve' | 'push'>> {
  if (words.any('capabilities') === undefined) return {};
  const said = words.strings('capabilities').map(({ value, origin }) => {
    if (['pull', 'resolve', 'push'].includes(value)) return value;
    throw configError(origin, 'a capability is one of pull, resolve, push');
  });
  return { pull: said.includes('pull'), resolve: said.includes('resolve'), push: said.includes('push') };
}
