import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseCidr } from '../config/documents/cidr.ts';
import type { HostRule } from '../config/host-rules.ts';
import { formatOrigin, type Origin } from '../config/origin.ts';

/** All addresses of a name; rejects where it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Why a host falls under a setting. */
export interface HostMatch {
  /** The entry that covers it, in canonical form. */
  readonly rule: string;
  readonly origin: Origin;
  /**
   * All addresses of the host, each in a network of the rules; absent where the host itself is named. Nobody may lead us
   * elsewhere afterwards, so these are what is connected to.
   */
  readonly addresses?: readonly string[];
}

const resolveAll: Resolve = async (hostname) =>
  (await dnsLookup(hostname, { all: true })).map(({ address }) => address);

/**
 * Loopback needs no certificate: traffic to it stays on this machine. Only for hosts that say themselves that they are
 * this machine, see {@link matchHost}.
 */
export const loopbackRules: readonly HostRule[] = ['127.0.0.0/8', '::1/128'].flatMap((text) => {
  const network = parseCidr(text);
  return network ? [{ kind: 'network', network, origin: { kind: 'default', name: 'loopback' } } as const] : [];
});

/**
 * The rule that covers a host: an exact `host[:port]` first, then the networks, which must hold all of its addresses. A
 * name that does not resolve is in no network.
 *
 * dockerd takes any one address, and loopback for every name. But an attacker who forges an answer of the DNS could then
 * turn verification off for any registry, by an address of such a network among others or a name said to be loopback. So
 * all addresses count, and {@link loopbackRules} hold for addresses, `localhost` and `*.localhost` alone.
 *
 * @param host `host[:port]` as a reference writes it; an entry without a port does not cover a host with one.
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
