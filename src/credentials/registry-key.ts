/** The names under which Docker's tools keep a registry's credentials. */

/** The key of Docker Hub, from the days of its first API. */
export const hubKey = 'https://index.docker.io/v1/';

/** The other names that people and tools have used for Docker Hub. */
const hubAliases = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** The key of a registry in config.json and with helpers: the host itself, except for Docker Hub. */
export function authConfigKey(host: string): string {
  return isHub(host) ? hubKey : host;
}

/** Exact keys of a registry, the one Docker writes first. */
export function exactKeys(host: string): readonly string[] {
  return isHub(host) ? [hubKey, ...hubAliases] : [host];
}

/** Whether a key, which may be a URL, is of this registry. */
export function keyMatchesHost(key: string, host: string): boolean {
  const hostname = convertToHostname(key);
  return isHub(host) ? isHub(hostname) : hostname === convertToHostname(host);
}

/** `host[:port]` of a host or an http(s) URL: scheme and path are stripped. */
export function convertToHostname(text: string): string {
  return text.replace(/^https?:\/\//i, '').replace(/\/.*$/s, '');
}

function isHub(host: string): boolean {
  return hubAliases.includes(convertToHostname(host));
}
