import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseCidr } from '../config/documents/cidr.ts';
import type { HostRule } from '../config/host-rules.ts';
import { formatOrigin, type Origin } from '../config/origin.ts';

/** All addresses of a host name; rejects if there are none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Why a setting applies to a host. */
export interface HostMatch {
  /** The matching entry in canonical form. */
  readonly rule: string;
  /** Where the rule was set. */
  readonly origin: Origin;
  /**
   * All addresses of the host, each in a network of the rules; absent if the host itself is listed. Connections are
   * made to these, so that a later DNS answer cannot lead elsewhere.
   */
  readonly addresses?: readonly string[];
}

const resolveAll: Resolve = async (hostname) =>
  (await dnsLookup(hostname, { all: true })).map(({ address }) => address);

/**
 * Loopback needs no certificate, because its traffic stays on this machine. Only for names that are local by
 * definition, see {@link matchHost}.
 */
export const loopbackRules: readonly HostRule[] = ['127.0.0.0/8', '::1/128'].flatMap((text) => {
  const network = parseCidr(text);
  return network ? [{ kind: 'network', network, origin: { kind: 'default', name: 'loopback' } } as const] : [];
});

/**
 * The rule for a host: an exact `host[:port]`, or else a network, which must include all of its addresses. A name that
 * does not resolve is in no network.
 *
 * dockerd accepts a match of any address, and loopback for every name. An attacker who forges DNS answers could then
 * disable verification for any registry. So all addresses have to match, and {@link loopbackRules} only apply to
 * addresses, `localhost` and `*.localhost`.
 *
 * @param host `host[:port]` as in a reference. An entry without a port does not match a host with one.
 * @see https://docs.docker.com/reference/cli/dockerd/#insecure-registries
 */
export async function matchHost(
  host: string,
  rules: readonly HostRule[],
  resolve: Resolve = resolveAll,
): Promise<HostMatch | undefined> {
  const exact = rules.find((rule) => rule.kind === 'host' && rule.key === host);
  if (exact) return { rule: host, origin: exact.origin };
  const hostname = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  const ownWord = isIP(hostname) !== 0 || /^(?:.+\.)?localhost$/i.test(hostname);
  const networks = rules
    .filter((rule) => rule.kind === 'network')
    .filter((rule) => ownWord || !loopbackRules.includes(rule));
  if (networks.length === 0) return undefined;
  const addresses = await addressesOf(hostname, resolve);
  const matches = addresses.flatMap((address) => networks.find(({ network }) => network.contains(address)) ?? []);
  const [first] = matches;
  if (!first || matches.length < addresses.length) return undefined;
  return { rule: first.network.text, origin: first.origin, addresses };
}

/** `10.0.0.0/8 (/etc/docker/daemon.json:3)`. */
export function formatHostMatch({ rule, origin }: HostMatch): string {
  return `${rule} (${formatOrigin(origin)})`;
}

async function addressesOf(hostname: string, resolve: Resolve): Promise<readonly string[]> {
  if (isIP(hostname) !== 0) return [hostname];
  try {
    return await resolve(hostname);
  } catch {
    return [];
  }
}
