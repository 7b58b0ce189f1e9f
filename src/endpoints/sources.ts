/** Turns the sources in configuration rules into endpoints. */
import { unverified } from '../certs/host-tls.ts';
import { readAuthorityFiles, readPair } from '../certs/named-files.ts';
import type { TlsSettings } from '../certs/tls-settings.ts';
import { indexName, validateIndexName } from '../config/docker/index-name.ts';
import { formatOrigin } from '../config/origin.ts';
import {
  matchRegistryRule,
  type RegistryRule,
  type RegistrySource,
  repositoryAt,
  splitPrefix,
} from '../config/registry-rules.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { type RepositoryName, tryParseRepositoryName } from '../model/reference/reference.ts';
import type { APIEndpoint } from './endpoint.ts';

/** A repository, or a whole registry. */
export interface Asked {
  /** As in a reference: `docker.io`, `host[:port]`. */
  readonly host: string;
  readonly path: RepositoryName | undefined;
}

/** Properties that all endpoints of a host share. */
export type OfHost = (
  host: string,
) => Promise<Pick<APIEndpoint, 'tls' | 'insecure' | 'allowNondistributableArtifacts'>>;

interface SourceContext {
  readonly ofHost: OfHost;
  /** Address of Docker Hub's API. */
  readonly hubUrl: string;
}

/**
 * The rule for a repository or registry.
 *
 * @throws OciError DENIED if the rule blocks it: that is a decision of this machine's administrator, not a mistake.
 */
export function ruleFor(rules: readonly RegistryRule[], { host, path }: Asked): RegistryRule | undefined {
  const rule = matchRegistryRule(rules, host, path ?? '');
  if (!rule?.blocked) return rule;
  const name = path === undefined ? host : `${host}/${path}`;
  const where = formatOrigin(rule.origin);
  throw new OciError('DENIED', `${name} is blocked by the rule for ${quote(rule.prefix)} (${where})`, {
    hint: 'no request was sent; use another registry, or have the rule changed',
  });
}

/**
 * The endpoints of a source: over TLS, followed by plain http if it is insecure and has no scheme.
 *
 * @throws OciError CONFIG_INVALID for unusable certificates and names.
 */
export async function sourceEndpoints(
  source: RegistrySource,
  rule: RegistryRule,
  asked: Asked,
  { mirror, ...context }: SourceContext & { readonly mirror: boolean },
): Promise<readonly APIEndpoint[]> {
  const { origin, overridePath, namespaceQuery, headers, connectTimeoutMs } = source;
  const host = validateIndexName(source.host ?? asked.host);
  const isHub = host === indexName;
  const known = await context.ofHost(host);
  const insecure = known.insecure ?? (source.insecure && !isHub ? { rule: host, origin } : undefined);
  const references = source.references === 'all' ? (source.resolve ? undefined : 'digests') : source.references;
  const endpoint: APIEndpoint = {
    mirror,
    url: isHub && source.path === '/' ? new URL(context.hubUrl) : urlOf(source, host),
    official: isHub && !mirror,
    trimHostname: true,
    allowNondistributableArtifacts: known.allowNondistributableArtifacts,
    credentialHost: host,
    tls: await tlsOf(source, known.tls, insecure !== undefined),
    origin,
    ...(insecure && { insecure }),
    ...renaming(source, rule, asked),
    ...(references && { references }),
    ...(overridePath && { overridePath }),
    ...(namespaceQuery && { namespace: asked.host }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  };
  // At the registry's own name, the host's own settings decide whether plain http is allowed.
  const mayBePlain =
    source.scheme === undefined || (source.host === undefined && source.scheme === 'https' && known.insecure);
  if (!mayBePlain || insecure === undefined) return [endpoint];
  const url = new URL(endpoint.url.href.replace('https:', 'http:'));
  return [endpoint, { ...endpoint, url, tls: {}, plainTwin: true }];
}

function urlOf({ scheme = 'https', path, origin }: RegistrySource, host: string): URL {
  const text = `${scheme}://${host}${path}`;
  if (URL.canParse(text)) return new URL(text);
  throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${quote(host)} is not a valid registry host`, {
    hint: 'a host is written as host or host:port',
  });
}

async function tlsOf(source: RegistrySource, known: TlsSettings, insecure: boolean): Promise<TlsSettings> {
  const { ca: files, clients, origin } = source;
  const [first] = clients;
  const client = first && (await readPair(first, { cert: origin, key: origin }));
  if (insecure) return { ...unverified(known), ...client };
  const ca = [...(await readAuthorityFiles(files, origin)), ...(known.ca ?? [])];
  return { ...known, ...(ca.length > 0 && { ca }), ...client };
}

function renaming(
  source: RegistrySource,
  rule: RegistryRule,
  { path }: Asked,
): Pick<APIEndpoint, 'rename' | 'nameBack'> {
  const { repositoryPrefix: there, origin } = source;
  if (there === undefined) return {};
  const { path: here } = splitPrefix(rule.prefix);
  if (path !== undefined && movedName(path, here, there) === undefined) {
    const name = quote(repositoryAt(rule, source, path));
    throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${name} is not a valid repository name`, {
      hint: 'correct the path that the rule puts in front of names',
    });
  }
  return {
    // The source of a mount need not be below the prefix; it is not found then.
    rename: (outer) => movedName(outer, here, there) ?? outer,
    nameBack: (inner) => movedName(inner, there, here),
  };
}

/** Moves a name from one path to another; undefined if it is not below the first, or the result is not a valid name. */
function movedName(name: string, from: string, to: string): RepositoryName | undefined {
  const below = from === '' ? name : name === from ? '' : undefined;
  const rest = below ?? (name.startsWith(`${from}/`) ? name.slice(from.length + 1) : undefined);
  if (rest === undefined) return undefined;
  return tryParseRepositoryName([to, rest].filter((part) => part !== '').join('/'));
}
