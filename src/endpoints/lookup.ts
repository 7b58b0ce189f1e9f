/** At which addresses a registry is asked, in which order. */
import { readHostTls } from '../certs/host-tls.ts';
import type { TlsSettings } from '../certs/tls-settings.ts';
import type { HostRule } from '../config/host-rules.ts';
import { indexName } from '../config/index-name.ts';
import type { Sourced } from '../config/origin.ts';
import type { Settings } from '../config/settings.ts';
import type { APIEndpoint } from './endpoint.ts';
import { type HostMatch, loopbackRules, matchHost, type Resolve } from './host-match.ts';

/** The API of Docker Hub. */
export const defaultV2Registry = 'https://registry-1.docker.io/';

/** The settings that decide about endpoints. */
export type EndpointSettings = Pick<
  Settings,
  'registryMirrors' | 'insecureRegistries' | 'allowNondistributableArtifacts' | 'certsDirs' | 'surroundings'
>;

export interface EndpointOptions {
  readonly settings: EndpointSettings;
  readonly warn: (text: string) => void;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** Stands in for Docker Hub's own address. */
  readonly defaultRegistry?: string | undefined;
}

/**
 * Endpoints to pull from: for Docker Hub its mirrors in order and then itself; for any other host https, and plain http
 * behind it where the host is insecure.
 *
 * @param host A reference's domain.
 * @throws OciError CONFIG_INVALID for certificates that cannot be used.
 * @see https://docs.docker.com/docker-hub/mirror/
 */
export async function lookupPullEndpoints(host: string, options: EndpointOptions): Promise<readonly APIEndpoint[]> {
  if (host !== indexName) return hostEndpoints(host, options);
  const mirrors = await Promise.all(options.settings.registryMirrors.map((mirror) => mirrorEndpoint(mirror, options)));
  return [...mirrors, await hubEndpoint(options)];
}

/** Endpoints to push to: those of a pull without the mirrors. @throws OciError CONFIG_INVALID */
export async function lookupPushEndpoints(host: string, options: EndpointOptions): Promise<readonly APIEndpoint[]> {
  return host === indexName ? [await hubEndpoint(options)] : hostEndpoints(host, options);
}

/**
 * Why a host may be spoken to without a valid certificate, or undefined where it may not. Docker Hub never is.
 *
 * @param host `host[:port]` as a reference writes it.
 */
export async function matchInsecure(
  host: string,
  { settings, resolve }: Pick<EndpointOptions, 'resolve'> & { readonly settings: Pick<Settings, 'insecureRegistries'> },
): Promise<HostMatch | undefined> {
  if (host === indexName) return undefined;
  return matchHost(host, [...settings.insecureRegistries, ...loopbackRules], resolve);
}

async function mirrorEndpoint({ value }: Sourced<string>, options: EndpointOptions): Promise<APIEndpoint> {
  // As written: a URL object drops the port 443, and certs.d and insecure-registries go by the spelling.
  const host = value.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return {
    mirror: true,
    url: new URL(value),
    official: false,
    trimHostname: true,
    allowNondistributableArtifacts: false,
    credentialHost: host,
    ...(await security(host, options)),
  };
}

async function hubEndpoint(options: EndpointOptions): Promise<APIEndpoint> {
  return {
    mirror: false,
    url: new URL(options.defaultRegistry ?? defaultV2Registry),
    official: true,
    trimHostname: true,
    allowNondistributableArtifacts: await allows(indexName, options),
    credentialHost: indexName,
    tls: await hostTls(indexName, options),
  };
}

async function hostEndpoints(host: string, options: EndpointOptions): Promise<readonly APIEndpoint[]> {
  const secured = {
    mirror: false,
    url: new URL(`https://${host}/`),
    official: false,
    trimHostname: true,
    allowNondistributableArtifacts: await allows(host, options),
    credentialHost: host,
    ...(await security(host, options)),
  };
  return secured.insecure === undefined
    ? [secured]
    : [secured, { ...secured, url: new URL(`http://${host}/`), tls: {} }];
}

async function security(host: string, options: EndpointOptions): Promise<Pick<APIEndpoint, 'tls' | 'insecure'>> {
  const insecure = await matchInsecure(host, options);
  return insecure ? { tls: { verify: false }, insecure } : { tls: await hostTls(host, options) };
}

async function hostTls(host: string, { settings, warn }: EndpointOptions): Promise<TlsSettings> {
  const { certsDirs, surroundings } = settings;
  return readHostTls(host, { certsDirs: certsDirs.map(({ value }) => value), surroundings, warn });
}

async function allows(host: string, { settings, resolve }: EndpointOptions): Promise<boolean> {
  const rules: readonly HostRule[] = settings.allowNondistributableArtifacts;
  return rules.length > 0 && (await matchHost(host, rules, resolve)) !== undefined;
}
