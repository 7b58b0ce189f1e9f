import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { hubNames, indexName } from './docker/index-name.ts';
import { formatOrigin, type Origin } from './origin.ts';

/**
 * How a registry, or some of its repositories, is reached, where a file says more than Docker's own: containers'
 * registries.conf, containerd's hosts.toml, or our config.yaml.
 */
export interface RegistryRule {
  /** What it covers: `host[:port]`, `host[:port]/path`, `*.example.com`, or `_default` for hosts without another rule. */
  readonly prefix: string;
  readonly origin: Origin;
  /** Nothing may be pulled from or pushed to it. */
  readonly blocked: boolean;
  /** From a file that says how single hosts are reached, and knows no blocks: those of other files hold for them. */
  readonly hostOnly?: boolean;
  /** Asked before the registry itself, in order. */
  readonly mirrors: readonly RegistrySource[];
  /**
   * The registry itself, where it is elsewhere than its name says or reached in another way; absent: at its name. A push
   * goes here only where {@link RegistrySource.push} is set, else to the name itself.
   */
  readonly server?: RegistrySource;
}

/** One place where the repositories of a rule can be had. */
export interface RegistrySource {
  readonly origin: Origin;
  /**
   * `host[:port]` as written: certs.d, credentials and insecure-registries go by the spelling. Absent, for servers only:
   * the host that was asked for.
   */
  readonly host?: string;
  /** Absent: https, and http behind it where the host is insecure. */
  readonly scheme?: 'http' | 'https';
  /** Begins and ends with a slash. `v2/` follows unless {@link overridePath}. */
  readonly path: string;
  /** The API is at the path itself. */
  readonly overridePath: boolean;
  /** Takes the place of the prefix's own path in repository names; absent: names stay as they are. */
  readonly repositoryPrefix?: string;
  /** Its certificate need not be valid; plain http may follow where no {@link scheme} is said. */
  readonly insecure: boolean;
  /** Which references it is asked for. Default all. */
  readonly references: 'all' | 'digests' | 'tags';
  readonly pull: boolean;
  /** Whether it may answer what a tag stands for. */
  readonly resolve: boolean;
  readonly push: boolean;
  /** Requests carry `ns=` and the host that was asked for, as containerd's proxies want it. */
  readonly namespaceQuery: boolean;
  /** Files of authorities, besides those of certs.d. */
  readonly ca: readonly string[];
  /** Files of client certificates with their keys; the same file twice where it holds both. */
  readonly clients: readonly { readonly cert: string; readonly key: string }[];
  /** Sent to this place alone. */
  readonly headers: Readonly<Record<string, string>>;
  readonly connectTimeoutMs?: number;
}

/** A place without anything particular about it. */
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

/** What covers hosts that no other rule names. */
export const defaultPrefix = '_default';

/**
 * One rule per prefix, the first one given, in the order in which {@link matchRegistryRule} tries them: hosts before
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
 * The rule for a repository: the longest prefix that ends where a component of the path does. `*.example.com` covers all
 * hosts below example.com, at any port, and not example.com itself. The case of hosts does not matter.
 *
 * A rule for a host without a port does not cover its other ports, unless it blocks: skopeo and podman take the prefix for
 * a text, and who relies on that must not be let through here. Nor does another spelling of a host lead around a block:
 * `:0443`, `127.1`, or a name of Docker Hub.
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
 * What a repository is called at a source.
 *
 * @throws OciError CONFIG_INVALID where nothing is left of its name.
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
    { hint: 'Give the place a path too, or the rule a shorter prefix.' },
  );
}

/** `host[:port]` and the path behind it, without a slash between them. */
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

/** Where a host leads, in one of its spellings. */
function placeOfHost(host: string): string {
  const { host: place } = URL.canParse(`https://${host}/`) ? new URL(`https://${host}/`) : { host: host.toLowerCase() };
  return hubNames.includes(place) ? indexName : place;
}

function prefixKey(prefix: string): string {
  const { host } = splitPrefix(prefix);
  return `${host.toLowerCase()}${prefix.slice(host.length)}`;
}
