import type { ProxySettings } from './docker/service-keys.ts';
import { type Environment, variable } from './environment.ts';
import type { Origin, Sourced } from './origin.ts';

/**
 * The proxies that are set: per key the first of the environment and the files. As in Go programs, Docker among them, a
 * variable in upper case comes before one in lower case.
 */
export function readProxies(where: Environment, files: readonly ProxySettings[]): ProxySettings {
  const read = (name: string, key: keyof ProxySettings): Sourced<string> | undefined => {
    for (const each of [name, name.toLowerCase()]) {
      const value = variable(where.env, each);
      const origin: Origin = { kind: 'environment', name: each };
      if (value !== undefined) return { value, origin };
    }
    return files.map((file) => file[key]).find((found) => found !== undefined);
  };
  return {
    http: read('HTTP_PROXY', 'http'),
    https: read('HTTPS_PROXY', 'https'),
    all: read('ALL_PROXY', 'all'),
    noProxy: read('NO_PROXY', 'noProxy'),
  };
}

/** An address of a proxy without its user and password, for a person to read. */
export function maskProxy(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@');
}
