/** The addresses of a registry, in the order in which they are used. */
import { readHostTls } from '../certs/host-tls.ts';
import type { TlsSettings } from '../certs/tls-settings.ts';
import { indexName } from '../config/docker/index-name.ts';
import type { HostRule } from '../config/host-rules.ts';
import type { Sourced } from '../config/origin.ts';
import { matchRegistryRule, type RegistryRule, type RegistrySource } from '../config/registry-rules.ts';
import type { Settings } from '../config/settings.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { APIEndpoint } from './endpoint.ts';
import { type HostMatch, loopbackRules, matchHost, type Resolve } from './host-match.ts';
import { type Asked, type OfHost, ruleFor, sourceEndpoints } from './sources.ts';

/** The API of Docker Hub. */
export const defaultV2Registry = 'https://registry-1.docker.io/';

/** The settings that determine endpoints. */
export type EndpointSettings = Pick<
  Settings,
  | 'registryMirrors'
  | 'insecureRegistries'
  | 'allowNondistributableArtifacts'
  | 'registryRules'
  | 'certsDirs'
  | 'environment'
>;

export interface EndpointOptions {
  readonly settings: EndpointSettings;
  readonly warn: (text: string) => void;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** Replaces Docker Hub's address. */
  readonly defaultRegistry?: string | undefined;
}

/**
 * Endpoints to pull from, in the order in which they are used: for Docker Hub the mirrors of Docker's settings; the mirrors
 * of the rule for the repository; then the registry itself, at the address in the rule or in its name: https, then plain
 * http if the host is insecure.
 *
 * @param host A reference's domain.
 * @param path The repository, for rules about a part of a registry. If absent, only rules about the whole registry count.
 * @throws OciError DENIED if a rule blocks it; CONFIG_INVALID for unusable certificates.
 * @see https://docs.docker.com/docker-hub/mirror/
 */
export async function lookupPullEndpoints(
  host: string,
  options: EndpointOptions,
  path?: RepositoryName,
): Promise<readonly APIEndpoint[]> {
  const named = await placesFor('pull', { host, path }, options);
  const dockers = host === indexName ? options.settings.registryMirrors : [];
  const mirrors = await Promise.all(dockers.map((mirror) => mirrorEndpoint(mirror, options)));
  return [...mirrors, ...named];
}

/**
 * Endpoints to push to: mirrors with the capability, then the registry itself.
 *
 * @throws OciError as {@link lookupPullEndpoints}
 */
export async function lookupPushEndpoints(
  host: string,
  options: EndpointOptions,
  path?: RepositoryName,
): Promise<readonly APIEndpoint[]> {
  return placesFor('push', { host, path }, options);
}

/** The endpoints of the rule for a repository; those of the registry's own name if there is no rule. */
async function placesFor(
  purpose: 'pull' | 'push',
  asked: Asked,
  options: EndpointOptions,
): Promise<readonly APIEndpoint[]> {
  const rule = ruleFor(options.settings.registryRules, asked);
  if (!rule) return ownEndpoints(asked.host, options);
  const mirrors = rule.mirrors.filter((source) => source[purpose]);
  const named = mirrors.map((source) => placed(source, rule, asked, true, options));
  const server = purpose === 'pull' || rule.server?.push ? rule.server : undefined;
  const last = server ? placed(server, rule, asked, false, options) : ownEndpoints(asked.host, options);
  return (await Promise.all([...named, last])).flat();
}

/**
 * Why a host may be used without a valid certificate; undefined if it may not. Docker Hub never may. A rule makes only
 * its own repositories insecure: its host is not, when it serves as a mirror of another registry.
 *
 * @param host `host[:port]` as in a reference.
 */
export async function matchInsecure(
  host: string,
  { settings, resolve }: Pick<EndpointOptions, 'resolve'> & { readonly settings: Pick<Settings, 'insecureRegistries'> },
): Promise<HostMatch | undefined> {
  if (host === indexName) return undefined;
  return matchHost(host, [...settings.insecureRegistries, ...loopbackRules], resolve);
}

/** The same for a registry at its own name, which a rule for the whole registry may make insecure as well. */
export async function matchInsecureRegistry(host: string, options: EndpointOptions): Promise<HostMatch | undefined> {
  if (host === indexName) return undefined;
  const server = matchRegistryRule(options.settings.registryRules, host, '')?.server;
  const byRule = server?.insecure && server.host === undefined ? { rule: host, origin: server.origin } : undefined;
  return (await matchInsecure(host, options)) ?? byRule;
}

async function mirrorEndpoint({ value, origin }: Sourced<string>, options: EndpointOptions): Promise<APIEndpoint> {
  // As written: a URL object drops the port 443, but certs.d and insecure-registries match the spelling.
  const host = value.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return {
    mirror: true,
    url: new URL(value),
    official: false,
    trimHostname: true,
    credentialHost: host,
    origin,
    ...(await ofHost(host, options)),
    allowNondistributableArtifacts: false,
  };
}

async function ownEndpoints(host: string, options: EndpointOptions): Promise<readonly APIEndpoint[]> {
  const isHub = host === indexName;
  const secured: APIEndpoint = {
    mirror: false,
    url: new URL(isHub ? hubUrl(options) : `https://${host}/`),
    official: isHub,
    trimHostname: true,
    credentialHost: host,
    ...(await ofHost(host, options)),
  };
  if (secured.insecure === undefined) return [secured];
  return [secured, { ...secured, url: new URL(`http://${host}/`), tls: {}, plainTwin: true }];
}

function placed(
  source: RegistrySource,
  rule: RegistryRule,
  asked: Asked,
  mirror: boolean,
  options: EndpointOptions,
): Promise<readonly APIEndpoint[]> {
  const context = { mirror, ofHost: (host: string) => ofHost(host, options), hubUrl: hubUrl(options) };
  return sourceEndpoints(source, rule, asked, context);
}

async function ofHost(host: string, options: EndpointOptions): ReturnType<OfHost> {
  const insecure = await matchInsecure(host, options);
  const allowNondistributableArtifacts = await allows(host, options);
  const tls = await hostTls(host, options, insecure === undefined);
  return { tls, ...(insecure && { insecure }), allowNondistributableArtifacts };
}

function hubUrl({ defaultRegistry = defaultV2Registry }: EndpointOptions): string {
  return defaultRegistry;
}

async function hostTls(host: string, { settings, warn }: EndpointOptions, verify: boolean): Promise<TlsSettings> {
  const { certsDirs, environment } = settings;
  return readHostTls(host, { certsDirs: certsDirs.map(({ value }) => value), environment, warn, verify });
}

async function allows(host: string, { settings, resolve }: EndpointOptions): Promise<boolean> {
  const rules: readonly HostRule[] = settings.allowNondistributableArtifacts;
  return rules.length > 0 && (await matchHost(host, rules, resolve)) !== undefined;
}
