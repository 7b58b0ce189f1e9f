/** Whose a connection is: what counts and orders by address. */
import { parseIpv6 } from '../../model/ipv6.ts';

/** An address without a zone; an IPv4 address as such where IPv6 carries it. */
export function plainAddress(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/**
 * The holder of an address, for what each may have a share of: an IPv4 address, or the network of an IPv6 address, since
 * one machine has all of its 64 bits.
 */
export function holderOf(address: string): string {
  const plain = plainAddress(address);
  const groups = parseIpv6(plain);
  return groups === undefined ? plain : `${groups.slice(0, 4).join(':')}::`;
}
