import type { ProxySettings } from './docker/service-keys.ts';
import { type Environment, variable } from './environment.ts';
import { formatOrigin, type Origin, type Sourced } from './origin.ts';

const kinds: readonly string[] = ['http', 'https', 'socks5', 'socks5h'];

/** For a proxy of an unsupported kind: the kind in quotes, and the supported ones. Undefined if it is supported. */
export function unknownProxyKind(address: string): string | undefined {
  const [, kind] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address) ?? [];
  if (kind === undefined || kinds.includes(kind.toLowerCase())) return undefined;
  return `"${kind.toLowerCase()}", which is not supported: use ${kinds.join(', ')}`;
}

/**
 * The configured proxies: for each key the first value of the environment, then the files. As in Go programs such as
 * Docker, a variable in upper case precedes one in lower case.
 *
 * @param warn Called for proxies of an unsupported kind. They are an error only when one is needed.
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

/** The address of a proxy without user and password, for messages. */
export function maskProxy(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@');
}
