import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { hubNames, indexName } from './docker/index-name.ts';
import { formatOrigin, type Origin } from './origin.ts';

/**
 * How a registry, or some of its repositories, is reached, according to a file that goes beyond Docker's settings:
 * registries.conf of the containers tools, containerd's hosts.toml, or our config.yaml.
 */
export interface RegistryRule {
  /** What it covers: `host[:port]`, `host[:port]/path`, `*.example.com`, or `_default` for hosts without another rule. */
  readonly prefix: string;
  /** Where the rule was set. */
  readonly origin: Origin;
  /** Pulls and pushes are refused. */
  readonly blocked: boolean;
  /** From a file with settings for single hosts, which cannot block: a block in another file still applies. */
  readonly hostOnly?: boolean;
  /** Used before the registry itself, in order. */
  readonly mirrors: readonly RegistrySource[];
  /**
   * The registry itself, if its address or the way to it differs from its name; absent: the host in the name. A push
   * goes here only if {@link RegistrySource.push} is set, otherwise to the host in the name.
   */
  readonly server?: RegistrySource;
}

/** One source for the repositories of a rule. */
export interface RegistrySource {
  /** Where the place was set. */
  readonly origin: Origin;
  /**
   * `host[:port]` as written: certs.d, credentials and insecure-registries match this spelling. If absent, which is
   * possible for servers only: the host of the reference.
   */
  readonly host?: string;
  /** If absent: https, then http if the host is insecure. */
  readonly scheme?: 'http' | 'https';
  /** Begins and ends with a slash. `v2/` is appended, unless {@link overridePath} is set. */
  readonly path: string;
  /** The path is that of the API itself. */
  readonly overridePath: boolean;
  /** Replaces the prefix's path in repository names; if absent, names are unchanged. */
  readonly repositoryPrefix?: string;
  /** Its certificate may be invalid. If it has no {@link scheme}, plain http may be tried as well. */
  readonly insecure: boolean;
  /** The references that it is used for. Default all. */
  readonly references: 'all' | 'digests' | 'tags';
  /** Whether it serves pulls. */
  readonly pull: boolean;
  /** Whether it may resolve tags. */
  readonly resolve: boolean;
  /** Whether it accepts pushes. */
  readonly push: boolean;
  /** Whether requests contain `ns=` and the host of the reference, as containerd's proxies need it. */
  readonly namespaceQuery: boolean;
  /** Files with authorities, in addition to those of certs.d. */
  readonly ca: readonly string[];
  /** Files of client certificates and their keys; the same file for both if it contains both. */
  readonly clients: readonly { readonly cert: string; readonly key: string }[];
  /** Sent to this source only. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds until a connection must stand; absent: the service's limit. */
  readonly connectTimeoutMs?: number;
}

/** A source with default values. */
export const plainSource: Omit<RegistrySource, 'origin'> = {
  path: '/',
  overridePath: false,
  insecure: false,
  references: 'all',
  pull: true,
  resolve: true,
  push: true,
  namespaceQuery: false,
  ca: [],
  clients: [],
  headers: {},
};

/** The prefix for hosts without another rule. */
export const defaultPrefix = '_default';

/**
 * One rule per prefix (the first given), in the order in which {@link matchRegistryRule} tries them: hosts before
 * wildcards, the longest prefix first, `_default` last.
 */
export function orderRegistryRules(rules: readonly RegistryRule[]): readonly RegistryRule[] {
  const byPrefix = new Map<string, RegistryRule>();
  for (const rule of rules) {
    const key = prefixKey(rule.prefix);
    if (!byPrefix.has(key)) byPrefix.set(key, rule);
  }
  const rank = ({ prefix }: RegistryRule) => (prefix === defaultPrefix ? 2 : prefix.startsWith('*.') ? 1 : 0);
  return [...byPrefix.values()].sort((a, b) => rank(a) - rank(b) || b.prefix.length - a.prefix.length);
}

/**
 * The rule for a repository: the longest prefix that ends at the end of a path component. `*.example.com` covers all
 * hosts below example.com at any port, but not example.com itself. Hosts are compared without case.
 *
 * A rule for a host without a port does not cover its other ports, unless it blocks: skopeo and podman compare prefixes
 * as text, and a block that relies on that must work here too. For the same reason a block covers all spellings of a
 * host: `:0443`, `127.1`, or the names of Docker Hub.
 *
 * @param rules In the order of {@link orderRegistryRules}.
 * @param domain As in a reference: `docker.io`, `host[:port]`.
 */
export function matchRegistryRule(
  rules: readonly RegistryRule[],
  domain: string,
  path: string,
): RegistryRule | undefined {
  const found = firstMatch(rules, domain, path);
  if (!found?.hostOnly) return found;
  const other = matchRegistryRule(
    rules.filter(({ hostOnly }) => !hostOnly),
    domain,
    path,
  );
  return other?.blocked ? other : found;
}

function firstMatch(rules: readonly RegistryRule[], domain: string, path: string): RegistryRule | undefined {
  const host = domain.toLowerCase();
  const hostname = host.replace(/:\d+$/, '');
  const covers = ({ prefix }: RegistryRule, name: string): boolean => {
    const key = prefixKey(prefix);
    return name === key || name.startsWith(`${key}/`);
  };
  return (
    rules.find((rule) => covers(rule, `${host}/${path}`)) ??
    rules.find((rule) => rule.blocked && reaches(rule.prefix, host, path)) ??
    rules.find(({ prefix }) => prefix.startsWith('*.') && hostname.endsWith(prefix.slice(1).toLowerCase())) ??
    rules.find(({ prefix }) => prefix === defaultPrefix)
  );
}

/**
 * The name of a repository at a source.
 *
 * @throws OciError CONFIG_INVALID if the name would be empty.
 */
export function repositoryAt(rule: RegistryRule, source: RegistrySource, path: string): string {
  const { repositoryPrefix } = source;
  if (repositoryPrefix === undefined) return path;
  const own = splitPrefix(rule.prefix).path;
  const rest = own === '' ? path : path.slice(own.length + 1);
  const name = [repositoryPrefix, rest].filter((part) => part !== '').join('/');
  if (name !== '') return name;
  throw new OciError(
    'CONFIG_INVALID',
    `${formatOrigin(source.origin)}: no name is left for ${quote(path)} of ${quote(rule.prefix)}`,
    { hint: 'give the place a path too, or the rule a shorter prefix' },
  );
}

/** Splits a prefix into `host[:port]` and the path, without the slash between them. */
export function splitPrefix(prefix: string): { readonly host: string; readonly path: string } {
  const slash = prefix.indexOf('/');
  return slash === -1 ? { host: prefix, path: '' } : { host: prefix.slice(0, slash), path: prefix.slice(slash + 1) };
}

function reaches(prefix: string, domain: string, path: string): boolean {
  const { host, path: own } = splitPrefix(prefix);
  const [blocked, place] = [placeOfHost(host), placeOfHost(domain)];
  const isHost = blocked === place || blocked === place.replace(/:\d+$/, '');
  return isHost && (own === '' || path === own || path.startsWith(`${own}/`));
}

/** The same text for all spellings of a host. */
function placeOfHost(host: string): string {
  const { host: place } = URL.canParse(`https://${host}/`) ? new URL(`https://${host}/`) : { host: host.toLowerCase() };
  return hubNames.includes(place) ? indexName : place;
}

function prefixKey(prefix: string): string {
  const { host } = splitPrefix(prefix);
  return `${host.toLowerCase()}${prefix.slice(host.length)}`;
}
