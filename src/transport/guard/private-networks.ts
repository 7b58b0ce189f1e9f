/** Addresses that are only reachable from here, or mean something else here than elsewhere. */
import { canonicalIPv6 } from '../../config/documents/cidr.ts';
import { parseIpv6 } from '../../model/ipv6.ts';

type Network = readonly [address: number, bits: number, kind: string];

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry */
const ipv4Networks: readonly Network[] = [
  [0x00000000, 8, 'this host'],
  [0x0a000000, 8, 'a private network'],
  [0x64400000, 10, "a provider's network"],
  [0x7f000000, 8, 'this machine'],
  // Metadata of Azure's platform and Oracle's cloud: the addresses look public, but the host answers them.
  [0xa83f8110, 32, 'the metadata of a cloud'],
  [0xc00000c0, 32, 'the metadata of a cloud'],
  // Includes 169.254.169.254, the metadata address of most clouds.
  [0xa9fe0000, 16, 'the local link'],
  [0xac100000, 12, 'a private network'],
  [0xc0a80000, 16, 'a private network'],
];

/**
 * The kind of private network that an address belongs to: this machine, its links, networks of RFC 1918 and RFC 6598,
 * unique local ones, and cloud metadata; also for an IPv6 address that maps to such an IPv4 address.
 *
 * @param address Without brackets; a zone is ignored.
 * @returns Undefined for a public address, and for a text that is not an address.
 */
export function privateNetworkOf(address: string): string | undefined {
  const ipv4 = parseIpv4(address);
  if (ipv4 !== undefined) return kindOf(ipv4);
  const groups = ipv6Groups(address.replace(/%.*$/, ''));
  return groups && kindOfIpv6(groups);
}

/** Whether a URL's host is a name for this machine. */
export function isLocalName(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname);
}

/** The address in a URL's host; undefined for a name. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return parseIpv4(bare) !== undefined || ipv6Groups(bare) ? bare : undefined;
}

function kindOf(ipv4: number): string | undefined {
  return ipv4Networks.find(([network, bits]) => (ipv4 ^ network) >>> (32 - bits) === 0)?.[2];
}

function kindOfIpv6(groups: readonly number[]): string | undefined {
  const [first = 0] = groups;
  if (groups.slice(0, 7).every((group) => group === 0)) {
    if (groups[7] === 1) return 'this machine';
    if (groups[7] === 0) return 'this host';
  }
  if ((first & 0xfe00) === 0xfc00) return 'a private network';
  if ((first & 0xffc0) === 0xfe80) return 'the local link';
  // Site-local: deprecated, but still in use.
  if ((first & 0xffc0) === 0xfec0) return 'a private network';
  const ipv4 = embeddedIpv4(groups);
  return ipv4 === undefined ? undefined : kindOf(ipv4);
}

/** The IPv4 address that an IPv6 address is mapped, translated or tunnelled to. */
function embeddedIpv4(groups: readonly number[]): number | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const zeros = (...some: readonly number[]): boolean => some.every((group) => group === 0);
  const last = pair(g, h);
  // IPv4-mapped ::ffff:0:0/96, and IPv4-compatible ::/96. RFC 4291, 2.5.5
  if (zeros(a, b, c, d, e) && (f === 0xffff || f === 0)) return last;
  // IPv4-translated ::ffff:0:0:0/96. RFC 2765, 2.1
  if (zeros(a, b, c, d) && e === 0xffff && f === 0) return last;
  // NAT64 64:ff9b::/96 (RFC 6052, 2.1), and its local-use prefix 64:ff9b:1::/48 (RFC 8215) with an address at its end.
  if (a === 0x64 && b === 0xff9b && (zeros(c, d, e, f) || c === 1)) return last;
  // 6to4 2002::/16. RFC 3056
  if (a === 0x2002) return pair(b, c);
  // Teredo 2001::/32, the client's address inverted. RFC 4380, 4
  if (a === 0x2001 && b === 0) return pair(g ^ 0xffff, h ^ 0xffff);
  return undefined;
}

function pair(high: number, low: number): number {
  return ((high << 16) | low) >>> 0;
}

function parseIpv4(text: string): number | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!octets || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function ipv6Groups(text: string): readonly number[] | undefined {
  // Node formats IPv4-mapped addresses with dots.
  const plain =
    text.includes('.') && text.includes(':') && URL.canParse(`http://[${text}]/`) ? canonicalIPv6(text) : text;
  return parseIpv6(plain)?.map((group) => Number.parseInt(group, 16));
}
