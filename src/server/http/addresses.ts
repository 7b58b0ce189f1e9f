/** Client addresses, in the form in which they are counted and compared. */
import { parseIpv6 } from '../../model/ipv6.ts';

/** An address without a zone. An IPv4-mapped IPv6 address becomes an IPv4 address. */
export function plainAddress(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/**
 * What counts as one client: an IPv4 address, or the /64 network of an IPv6 address, because one machine may have all
 * addresses of it.
 */
export function holderOf(address: string): string {
  const plain = plainAddress(address);
  const groups = parseIpv6(plain);
  return groups === undefined ? plain : `${groups.slice(0, 4).join(':')}::`;
}
