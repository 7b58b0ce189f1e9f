import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { formatIpv6, parseIpv6 } from '../../model/ipv6.ts';

/** A network. An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) counts as the IPv4 address. */
export interface Cidr {
  /** Masked and in canonical form, such as `10.0.0.0/8`. */
  readonly text: string;
  /** Whether an IP address is in the network. */
  contains(address: string): boolean;
}

/** Parses `address/bits`; undefined if it is not a network. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = '', digits = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bits = Number(digits);
  const family = isIPv4(address) ? 'ipv4' : isIPv6Address(address) ? 'ipv6' : undefined;
  if (family === undefined || bits > (family === 'ipv4' ? 32 : 128)) return undefined;
  const network = family === 'ipv4' ? maskIPv4(address, bits) : maskIPv6(address, bits);
  const list = (): BlockList => {
    const made = new BlockList();
    made.addSubnet(network, bits, family);
    return made;
  };
  return {
    text: `${network}/${bits}`,
    contains: (candidate) => {
      const plain = candidate.replace(/%.*$/, '');
      if (isIPv4(plain)) return family === 'ipv4' ? maskIPv4(plain, bits) === network : list().check(plain, 'ipv4');
      return isIPv6(plain) && list().check(plain, 'ipv6');
    },
  };
}

// Node's isIPv6 uses a regular expression that takes 2 ms to compile, so it is only called if this parser fails.
function isIPv6Address(text: string): boolean {
  return parseIpv6(text) !== undefined || isIPv6(text);
}

/** The canonical spelling of an IPv6 address, as in a URL. */
export function canonicalIPv6(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

function maskIPv4(address: string, bits: number): string {
  return address
    .split('.')
    .map((octet, index) => Number(octet) & maskOf(bits - index * 8, 8))
    .join('.');
}

function maskIPv6(address: string, bits: number): string {
  const groups = parseIpv6(canonicalIPv6(address)) ?? [];
  return formatIpv6(
    groups.map((group, index) => (Number.parseInt(group, 16) & maskOf(bits - index * 16, 16)).toString(16)),
  );
}

/** A mask of the first `bits` of a number that is `width` bits wide. */
function maskOf(bits: number, width: number): number {
  const kept = Math.min(Math.max(bits, 0), width);
  return (2 ** width - 1) & ~(2 ** (width - kept) - 1);
}
