import { BlockList, isIP } from 'node:net';
import { OciError } from '../../model/errors.ts';
import { encodeErrors } from '../../wire/errors.ts';
import { answer } from './answers.ts';
import type { Exchange } from './exchange.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether an address (without brackets) is a loopback address. A name is not. */
export function isLoopbackAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** The name or address in a `Host` header in lower case, without port and brackets; undefined if there is none. */
function hostNameOf(host: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d*)?$/i.exec(host?.trim() ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * The names that requests to a listener may use; undefined if they may use any, because other machines reach it.
 *
 * @param address That it listens on.
 * @param hosts Further ones: the host that was asked for, and those that are allowed.
 */
export function acceptedNames(address: string, hosts: readonly string[]): ReadonlySet<string> | undefined {
  if (!isLoopbackAddress(address)) return undefined;
  return new Set(hosts.map(hostNameOf).filter((name) => name !== undefined));
}

/**
 * Whether a `Host` header may be answered. DNS rebinding: an attacker's domain resolves to this machine, so that its page's
 * requests here are same-origin.
 */
export function isAcceptedHost(host: string | undefined, names: ReadonlySet<string> | undefined): boolean {
  return names === undefined || isLocalName(hostNameOf(host), names);
}

/**
 * Refuses requests that only a browser sends, on behalf of a foreign page. Registry clients send neither `Origin` nor
 * `Sec-Fetch-Site`.
 *
 * @returns Whether the request was refused and answered.
 * @see https://fetch.spec.whatwg.org/#origin-header
 * @see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 */
export async function refusedForeignPage(exchange: Exchange): Promise<boolean> {
  const refusal = refusalOf(exchange);
  if (refusal === undefined) return false;
  exchange.failure = new OciError('DENIED', refusal.message);
  const body = encodeErrors(new OciError('DENIED', refusal.message));
  await answer(exchange, refusal.status, { 'content-type': 'application/json' }, body);
  return true;
}

function refusalOf(exchange: Exchange): { readonly status: number; readonly message: string } | undefined {
  if (!isAcceptedHost(exchange.header('host'), exchange.state.hostNames)) {
    const message = 'this registry only serves its own machine and does not accept the name in the Host header';
    return { status: 421, message };
  }
  // CSRF: a page may send such requests to any origin, though it cannot read the response.
  if (!readingMethods.has(exchange.method) && isForeign(exchange, exchange.context.host)) {
    return { status: 403, message: 'web pages of other origins may not change this registry' };
  }
  return undefined;
}

function isLocalName(name: string | undefined, allowed: ReadonlySet<string>): boolean {
  if (name === undefined) return false;
  return allowed.has(name) || name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name);
}

function isForeign(exchange: Exchange, host: string | undefined): boolean {
  if (exchange.state.cors?.isNamed(exchange.header('origin'))) return false;
  const site = exchange.header('sec-fetch-site');
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return true;
  const origin = exchange.header('origin');
  if (origin === undefined) return false;
  // `null`, the origin of a sandboxed page, is not a URL.
  return !URL.canParse(origin) || new URL(origin).host !== host?.trim().toLowerCase();
}
