import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { OciError } from '../model/errors.ts';
import { endpointOf } from '../transport/redact.ts';

/**
 * The token server that a challenge names, checked: a registry may name any address, and credentials go there.
 *
 * @param registry The registry that sent the challenge.
 * @throws OciError PROTOCOL for what is no http(s) URL, for http where the registry speaks https (credentials would go
 *   in clear text), and for an address of this machine or its network which a public registry names: a request there
 *   is the registry's attack on what only we can reach.
 */
export async function checkedRealm(realm: string, registry: URL): Promise<URL> {
  const refuse = (why: string): OciError =>
    new OciError('PROTOCOL', `${registry.host} names a token server ${why}: refused`, {
      endpoint: endpointOf(registry),
    });
  if (!URL.canParse(realm)) throw refuse('whose address is no URL');
  const url = new URL(realm);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('that speaks neither http nor https');
  if (url.username !== '' || url.password !== '') throw refuse('with a user name in its address');
  if (registry.protocol === 'https:' && url.protocol === 'http:') throw refuse(`in plain http (${url.host})`);
  if (url.hostname !== registry.hostname && isPrivateHost(url.hostname) && (await isPublic(registry.hostname))) {
    throw refuse(`inside this network (${url.host})`);
  }
  url.hash = '';
  return url;
}

/** Whether a host, as a URL has it, is an address of this machine, of its links or of a private network. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isPrivateAddress(host);
}

function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  privateAddresses ??= makePrivateAddresses();
  return privateAddresses.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

async function isPublic(hostname: string): Promise<boolean> {
  if (isPrivateHost(hostname)) return false;
  // A name without a dot is one of a local network's own.
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return true;
  if (!hostname.includes('.')) return false;
  const addresses = await lookup(hostname, { all: true }).catch(() => []);
  return !addresses.some(({ address }) => isPrivateAddress(address));
}

let privateAddresses: BlockList | undefined;

function makePrivateAddresses(): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const) {
    list.addSubnet(network, prefix, 'ipv4');
    // The same address in IPv6's clothes.
    list.addSubnet(`::ffff:${network}`, 96 + prefix, 'ipv6');
  }
  for (const [network, prefix] of [
    ['::', 127],
    ['fc00::', 7],
    ['fe80::', 10],
  ] as const) {
    list.addSubnet(network, prefix, 'ipv6');
  }
  return list;
}
