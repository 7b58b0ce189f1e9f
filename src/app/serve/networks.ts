import { isIP } from 'node:net';
import { parseCidr } from '../../config/documents/cidr.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

/**
 * Reads the networks of an option; a single address counts as a network.
 *
 * @param flag `--trust-proxy`
 * @returns Whether an address is in one of them; undefined if there are none.
 * @throws OciError USAGE
 */
export function networksIn(flag: string, words: readonly string[]): ((address: string) => boolean) | undefined {
  const networks = words.map((word) => {
    const network = parseCidr(isIP(word) === 0 ? word : `${word}/${isIP(word) === 4 ? 32 : 128}`);
    if (network !== undefined) return network;
    throw new OciError('USAGE', `invalid ${flag} ${quote(word)}`, {
      hint: 'it is an address or a network, as in 10.0.0.0/8, 192.0.2.7 or fd00::/8',
    });
  });
  if (networks.length === 0) return undefined;
  return (address) => networks.some((network) => network.contains(address));
}
