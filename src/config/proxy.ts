import type { ProxySettings } from './docker/service-keys.ts';
import { type Environment, variable } from './environment.ts';
import { formatOrigin, type Origin, type Sourced } from './origin.ts';

const kinds: readonly string[] = ['http', 'https', 'socks5', 'socks5h'];

/** The kind of a proxy that we cannot use, in quotes with those that we can; undefined where we can. */
export function unknownProxyKind(address: string): string | undefined {
  const [, kind] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address) ?? [];
  if (kind === undefined || kinds.includes(kind.toLowerCase())) return undefined;
  return `"${kind.toLowerCase()}", of which nothing is known here: there are ${kinds.join(', ')}`;
}

/**
 * The proxies that are set: per key the first of the environment and the files. As in Go programs, Docker among them, a
 * variable in upper case comes before one in lower case.
 *
 * @param warn Told of proxies of an unknown kind, which are an error only where one of them is needed.
 */
export function readProxies(
  where: Environment,
  files: readonly ProxySettings[],
  warn: (text: string) => void,
): ProxySettings {
  const read = (name: string, key: keyof ProxySettings): Sourced<string> | undefined => {
    for (const each of [name, name.toLowerCase()]) {
      const value = variable(where.env, each);
      const origin: Origin = { kind: 'environment', name: each };
      if (value !== undefined) return { value, origin };
    }
    return files.map((file) => file[key]).find((found) => found !== undefined);
  };
  const proxies = {
    http: read('HTTP_PROXY', 'http'),
    https: read('HTTPS_PROXY', 'https'),
    all: read('ALL_PROXY', 'all'),
  };
  for (const set of Object.values(proxies)) {
    const unknown = set && unknownProxyKind(set.value);
    if (set && unknown !== undefined) warn(`${formatOrigin(set.origin)} names a proxy of the kind ${unknown}`);
  }
  return { ...proxies, noProxy: read('NO_PROXY', 'noProxy') };
}

/** An address of a proxy without its user and password, for a person to read. */
export function maskProxy(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@');
}
