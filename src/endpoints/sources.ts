/** The places that the rules of configuration files name for a registry, as endpoints. */
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

/** A repository, or a registry as a whole. */
export interface Asked {
  /** As a reference has it: `docker.io`, `host[:port]`. */
  readonly host: string;
  readonly path: RepositoryName | undefined;
}

/** What is the same for every endpoint of a host. */
export type OfHost = (
  host: string,
) => Promise<Pick<APIEndpoint, 'tls' | 'insecure' | 'allowNondistributableArtifacts'>>;

interface SourceContext {
  readonly ofHost: OfHost;
  /** Where Docker Hub's API is. */
  readonly hubUrl: string;
}

/**
 * The rule that covers what is asked for.
 *
 * @throws OciError DENIED where it blocks it: that is the will of who runs this machine, not a mistake.
 */
export function ruleFor(rules: readonly RegistryRule[], { host, path }: Asked): RegistryRule | undefined {
  const rule = matchRegistryRule(rules, host, path ?? '');
  if (!rule?.blocked) return rule;
  const name = path === undefined ? host : `${host}/${path}`;
  const where = formatOrigin(rule.origin);
  throw new OciError('DENIED', `${name} is blocked by the rule for ${quote(rule.prefix)} (${where})`, {
    hint: 'nothing was asked; use another registry, or have the rule changed',
  });
}

/**
 * The endpoints of one place: over TLS, and in plain http behind it where it is insecure and its scheme is not said.
 *
 * @throws OciError CONFIG_INVALID for certificates and names that cannot be used.
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
  // At its own name, the host's own settings still say whether plain http will do.
  const mayBePlain =
    source.scheme === undefined || (source.host === undefined && source.scheme === 'https' && known.insecure);
  if (!mayBePlain || insecure === undefined) return [endpoint];
  const url = new URL(endpoint.url.href.replace('https:', 'http:'));
  return [endpoint, { ...endpoint, url, tls: {}, plainTwin: true }];
}

function urlOf({ scheme = 'https', path, origin }: RegistrySource, host: string): URL {
  const text = `${scheme}://${host}${path}`;
  if (URL.canParse(text)) return new URL(text);
  throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${quote(host)} is no host of a registry`, {
    hint: 'A host is written as host or host:port.',
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
    throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${name} is no name of a repository`, {
      hint: 'Correct the path that the rule puts in front of names.',
    });
  }
  return {
    // What a blob may be mounted from need not lie under the prefix; nothing is found there then.
    rename: (outer) => movedName(outer, here, there) ?? outer,
    nameBack: (inner) => movedName(inner, there, here),
  };
}

/** A name below one path as it is below another; undefined where it is not below it, or nothing that is a name is left. */
function movedName(name: string, from: string, to: string): RepositoryName | undefined {
  const below = from === '' ? name : name === from ? '' : undefined;
  const rest = below ?? (name.startsWith(`${from}/`) ? name.slice(from.length + 1) : undefined);
  if (rest === undefined) return undefined;
  return tryParseRepositoryName([to, rest].filter((part) => part !== '').join('/'));
}
