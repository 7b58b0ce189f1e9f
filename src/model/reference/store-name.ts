import { checkFields } from '../check-arguments.ts';
import { formatIpv6, parseIpv6 } from '../ipv6.ts';
import type { Reference, RepositoryName, StoreName } from './names.ts';
import { nameProblem, readReference } from './reference-grammar.ts';

type Place = Pick<Reference, 'domain' | 'path'>;

/**
 * The repository of the local store for the images of a (domain, path). One-to-one, with domains that differ in case
 * only and IPv6 addresses in different spellings counted as the same. The name follows the grammar of repository names,
 * so that it can be served over HTTP, but may be longer than 255 characters.
 */
export function toStoreName(reference: Pick<Reference, 'domain' | 'path'>): StoreName {
  checkFields('toStoreName', 'the reference', reference, { domain: 'string', path: 'string' });
  const { domain, path } = reference;
  const bracket = domain.indexOf(']');
  const groups = bracket === -1 ? undefined : parseIpv6(domain.slice(1, bracket));
  const host = groups ? `ipv6_${groups.join('_')}${domain.slice(bracket + 1)}` : domain.toLowerCase();
  return `${host.replace(':', '_')}/${path}` as StoreName;
}

/**
 * The inverse of {@link toStoreName}; undefined if a directory's name is not a store name. The domain gets a spelling
 * with which the reference parses and maps to the same name.
 */
export function fromStoreName(name: string): Place | undefined {
  const slash = name.indexOf('/');
  const path = name.slice(slash + 1);
  if (slash < 1 || nameProblem(path) !== undefined) return undefined;
  const domain = domainOf(name.slice(0, slash));
  // A name of `MyHost/x` or `DOCKER.IO/x`: in lower case, `myhost/x` and `docker.io/x` parse as other images.
  return [domain, domain.toUpperCase()]
    .map((spelling): Place => ({ domain: spelling, path: path as RepositoryName }))
    .find((place) => leadsBack(place) && toStoreName(place) === name);
}

function domainOf(text: string): string {
  const [first = '', ...rest] = text.split('_');
  if (first === 'ipv6' && rest.length >= 8) {
    const port = rest.length === 8 ? '' : `:${rest.slice(8).join('_')}`;
    return `[${formatIpv6(rest.slice(0, 8))}]${port}`;
  }
  return text.replace('_', ':');
}

function leadsBack({ domain, path }: Place): boolean {
  const read = readReference(`${domain}/${path}`);
  return 'domain' in read && read.domain === domain && read.path === path;
}
