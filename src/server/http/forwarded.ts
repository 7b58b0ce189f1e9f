/** The client of a request, according to the proxies in front of the server. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { plainAddress } from './addresses.ts';

/** The client of a request, and the address that it used. */
interface ClientFacts {
  readonly remoteAddress: string;
  readonly scheme: 'http' | 'https';
  /** The `Host` header, or the host that a proxy reported. */
  readonly host: string | undefined;
}

/** What one proxy reports about the peer that it got the request from. */
interface Hop {
  readonly address?: string | undefined;
  readonly proto?: string | undefined;
  readonly host?: string | undefined;
}

/** Maximum length of a chain of proxies. Earlier entries are ignored. */
const maxHops = 16;

/**
 * Determines the client of a request. Forwarding headers count as far as trusted proxies wrote them: the last entry if the
 * peer is trusted, the entry before it if the address in the last entry is trusted, and so on.
 *
 * `Forwarded` is used if there is no `X-Forwarded-` header: most proxies write those, and pass `Forwarded` on unchecked.
 *
 * @param isTrusted If absent, no header counts.
 * @see https://www.rfc-editor.org/rfc/rfc7239
 */
export function clientOf(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  isTrusted: ((address: string) => boolean) | undefined,
): ClientFacts {
  // A closed connection has no address.
  const peer = plainAddress(socket.remoteAddress ?? '');
  const scheme = 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http';
  const direct: ClientFacts = { remoteAddress: peer, scheme, host: headers.host };
  if (isTrusted === undefined || !isTrusted(peer)) return direct;
  const hops = readHops(headers).slice(-maxHops);
  let remoteAddress = peer;
  let hop: Hop = {};
  for (const each of hops.toReversed()) {
    if (!isTrusted(remoteAddress)) break;
    hop = { proto: each.proto ?? hop.proto, host: each.host ?? hop.host };
    // `unknown`, or an obfuscated name: the last known address is kept.
    if (each.address === undefined) break;
    remoteAddress = each.address;
  }
  return {
    remoteAddress,
    scheme: hop.proto === 'http' || hop.proto === 'https' ? hop.proto : scheme,
    host: isHost(hop.host) ? hop.host : headers.host,
  };
}

function readHops(headers: IncomingMessage['headers']): readonly Hop[] {
  const listOf = (name: string): readonly string[] | undefined => {
    const value = headers[name];
    return value === undefined
      ? undefined
      : String(value)
          .split(',')
          .map((word) => word.trim());
  };
  const [addresses, protos, hosts] = ['for', 'proto', 'host'].map((name) => listOf(`x-forwarded-${name}`));
  if (addresses === undefined && protos === undefined && hosts === undefined) {
    return (listOf('forwarded') ?? []).slice(-maxHops).map(parseElement);
  }
  // Aligned at the right, where each proxy appends. A single entry applies to all hops.
  const length = Math.max(addresses?.length ?? 0, 1);
  const at = (list: readonly string[] | undefined, index: number): string | undefined =>
    list?.at(Math.max(index - length, -list.length));
  return Array.from({ length }, (_, index) => ({
    address: parseNode(addresses?.[index] ?? ''),
    proto: at(protos, index)?.toLowerCase(),
    host: at(hosts, index),
  }));
}

/** `for=192.0.2.60;proto=http;host="example.com:8080"` */
function parseElement(text: string): Hop {
  const pairs = new Map(
    text.split(';').map((pair) => {
      const equals = pair.indexOf('=');
      const value = pair.slice(equals + 1).trim();
      const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
      return [pair.slice(0, equals).trim().toLowerCase(), isQuoted ? value.slice(1, -1) : value];
    }),
  );
  return {
    address: parseNode(pairs.get('for') ?? ''),
    proto: pairs.get('proto')?.toLowerCase(),
    host: pairs.get('host'),
  };
}

/** `192.0.2.43:47011`, `[2001:db8::17]:4711`, `2001:db8::17`. @returns Undefined if it is not an address. */
function parseNode(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const match = /^\[([0-9A-Fa-f:.]+)\](?::\w+)?$/.exec(text) ?? /^(\d+\.\d+\.\d+\.\d+)(?::\w+)?$/.exec(text);
  const address = match?.[1] ?? text;
  return isIP(address) === 0 ? undefined : plainAddress(address);
}

function isHost(text: string | undefined): text is string {
  return text !== undefined && /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(text);
}
