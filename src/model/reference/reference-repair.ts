import { parseIpv6 } from '../ipv6.ts';
import { isBareIpv6, readReference, splitDomain, userEnd } from './reference-grammar.ts';

/**
 * The reference that was obviously meant by an invalid one.
 *
 * @returns A text that parses, or undefined if the meaning would have to be guessed.
 */
export function repairReference(text: string): string | undefined {
  // A longer text is not a typing mistake.
  if (text.length > 1024) return undefined;
  // The end of the password is ambiguous.
  if (/[?#].*@/s.test(text)) return undefined;
  // A registry without an image: without the slash it would be an image on Docker Hub.
  if (/^(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?(?:\/\/)?[^/]*[.:][^/]*\/\s*$/.test(text)) return undefined;
  const repaired = repairName(repairDomain(withoutWrapping(text)));
  return repaired !== text && 'domain' in readReference(repaired) ? repaired : undefined;
}

function withoutWrapping(text: string): string {
  const trimmed = text.trim();
  const bare = trimmed.replace(/^(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?\/\//, '');
  const unquestioned = bare === trimmed ? bare : bare.replace(/[?#].*$/s, '');
  const host = bare === trimmed ? unquestioned : unquestioned.slice(userEnd(unquestioned.replace(/@$/, '')));
  return host
    .replace(/^hub\.docker\.com\/(?:_|r)\//, '')
    .replace(/\/{2,}/g, '/')
    .replace(/^\//, '')
    .replace(/[/:@]$/, '');
}

function repairDomain(text: string): string {
  const { domain, rest } = splitDomain(text);
  if (!text.startsWith(`${domain}/`)) return text;
  if (isBareIpv6(domain)) return `${bracketed(domain)}/${rest}`;
  const port = /:([0-9]*)$/.exec(domain);
  const host = port ? domain.slice(0, port.index) : domain;
  const portFits = port && port[1] !== '' && Number(port[1]) <= 65_535;
  const mended = host.replaceAll('_', '-');
  return `${mended}${portFits ? port[0] : ''}/${rest}`;
}

// `::1:5000` is a valid address as a whole, but the registry's port is more likely meant.
function bracketed(address: string): string {
  const [, host = '', port = ''] = /^(.*[^:]):([0-9]{2,5})$/.exec(address) ?? [];
  return parseIpv6(host) && host !== '' ? `[${host}]:${port}` : `[${address}]`;
}

function repairName(text: string): string {
  const { rest } = splitDomain(text);
  const domain = text.slice(0, text.length - rest.length);
  const [, name = '', tail = ''] = /^([^:@]*)(.*)$/s.exec(rest) ?? [];
  return domain + name.toLowerCase() + repairDigest(tail);
}

function repairDigest(tail: string): string {
  const at = tail.indexOf('@');
  if (at === -1) return tail.replace(/^:((?:sha256|sha384|sha512):)/, '@$1');
  const [algorithm = '', hex = '', tag, ...more] = tail.slice(at + 1).split(':');
  if (/^[0-9a-fA-F]{64}$/.test(algorithm) && hex === '')
    return `${tail.slice(0, at)}@sha256:${algorithm.toLowerCase()}`;
  const digest = `@${algorithm.toLowerCase()}:${hex.toLowerCase()}`;
  if (tag === undefined) return tail.slice(0, at) + digest;
  return more.length === 0 && at === 0 ? `:${tag}${digest}` : tail;
}
