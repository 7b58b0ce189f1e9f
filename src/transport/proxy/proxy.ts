/** Decides whether a URL is requested through a proxy, and through which, by Go's rules, which Docker uses. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import type { ProxySettings } from '../../config/docker/service-keys.ts';
import { parseCidr } from '../../config/documents/cidr.ts';
import { formatOrigin, type Origin, type Sourced } from '../../config/origin.ts';
import { unknownProxyKind } from '../../config/proxy.ts';
import { OciError } from '../../model/errors.ts';

export interface ProxyServer {
  /** http:, https: or socks5:, without user and password. */
  readonly url: URL;
  /** The value of `Proxy-Authorization`, which only the proxy gets. */
  readonly authorization?: string;
  /** The login for a SOCKS proxy. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Where it was configured. */
  readonly origin: Origin;
}

/** `because` is for messages: `NO_PROXY has "10.0.0.0/8"`. */
type ProxyDecision =
  | { readonly kind: 'direct'; readonly because: string }
  | { readonly kind: 'proxy'; readonly proxy: ProxyServer };

/**
 * Decides about one URL. Loopback is connected to directly, unless `NO_PROXY` contains `<-loopback>`, as in browsers.
 *
 * An entry of `NO_PROXY` is `*`, an address, a network in CIDR notation, or a name, which also covers its subdomains;
 * with a dot or `*.` before it, only those. All except networks may have a port. Names are not resolved: networks only
 * match hosts that are written as addresses.
 *
 * @throws OciError CONFIG_INVALID naming the variable, for a proxy of an unsupported kind or without an address. The
 * message contains no password.
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function decideProxy(url: URL, settings: ProxySettings): ProxyDecision {
  const set = (url.protocol === 'https:' ? settings.https : settings.http) ?? settings.all;
  if (set === undefined || set.value === '') return { kind: 'direct', because: 'no proxy is set' };
  const host = hostOf(url);
  const entries = entriesOf(settings.noProxy);
  if (isLoopback(host) && !entries.includes('<-loopback>')) return { kind: 'direct', because: 'it is this machine' };
  const entry = entries.find((each) => covers(each, host, portOf(url)));
  if (entry === undefined) return { kind: 'proxy', proxy: parseProxy(set) };
  const name = settings.noProxy ? formatOrigin(settings.noProxy.origin) : 'NO_PROXY';
  return { kind: 'direct', because: `${name} has "${entry}"` };
}

/** Whether a proxy speaks SOCKS. It tunnels everything. */
export function isSocks({ url }: ProxyServer): boolean {
  return url.protocol === 'socks5:';
}

/** Parses the address of a proxy. @throws OciError as {@link decideProxy} */
function parseProxy({ value, origin }: Sourced<string>): ProxyServer {
  const refuse = (why: string): OciError =>
    new OciError('CONFIG_INVALID', `${formatOrigin(origin)} ${why}`, {
      hint: 'a proxy is written http://host:port, or http://user:password@host:port if it requires a login',
    });
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (!URL.canParse(text)) throw refuse('is not the address of a proxy');
  const url = new URL(text);
  const unknown = unknownProxyKind(text);
  if (unknown !== undefined) throw refuse(`names a proxy of the kind ${unknown}`);
  const socks = url.protocol.startsWith('socks5');
  // With a slash in the password, half of it would be taken for the address, and shown.
  const isSplit = `${url.pathname}${url.search}${url.hash}`.includes('@');
  const user = isSplit ? undefined : userOf(url);
  if (user === undefined) throw refuse('has a user or password that is not percent-encoded');
  const isNamed = user.name !== '' || user.password !== '';
  if (socks) {
    if (url.hostname === '') throw refuse('is not the address of a proxy');
    // RFC 1929 has one byte for the length of each.
    if (Object.values(user).some((word) => Buffer.byteLength(word) > 255)) {
      throw refuse('has a user or password that is too long for SOCKS, which takes 255 bytes');
    }
    return { url: new URL(`socks5://${url.hostname}:${url.port || 1080}`), ...(isNamed && { user }), origin };
  }
  const authorization = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  return { url: new URL(`${url.protocol}//${url.host}/`), ...(isNamed && { authorization }), origin };
}

function userOf({ username, password }: URL): { readonly name: string; readonly password: string } | undefined {
  try {
    return { name: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}

function entriesOf(noProxy: Sourced<string> | undefined): readonly string[] {
  return (noProxy?.value ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
}

function covers(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isIP(host) !== 0 && (parseCidr(entry)?.contains(host) ?? false);
  const [, bracketed, named = '', digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  // An IPv6 address without brackets cannot have a port.
  const name = bracketed ?? (isIPv6(entry) ? entry : named);
  if (name === '' || (digits !== undefined && Number(digits) !== port)) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && sameAddress(name, host);
  const below = name.replace(/^\*(?=\.)/, '');
  const normal = below.startsWith('.') ? `.${asciiName(below.slice(1))}` : `.${asciiName(below)}`;
  if (normal === '.') return false;
  return host.endsWith(normal) || (!below.startsWith('.') && host === normal.slice(1));
}

function sameAddress(one: string, other: string): boolean {
  const list = new BlockList();
  list.addAddress(one, isIPv4(one) ? 'ipv4' : 'ipv6');
  return list.check(other, isIPv4(other) ? 'ipv4' : 'ipv6');
}

function asciiName(name: string): string {
  return domainToASCII(name.replace(/\.$/, ''));
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return loopback.some((network) => network.contains(host));
}

const loopback = ['127.0.0.0/8', '::1/128'].flatMap((text) => parseCidr(text) ?? []);
