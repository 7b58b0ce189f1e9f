/**
 * The names under which Docker's and containers' tools keep credentials: `host[:port]`, a URL of one, or with a namespace
 * `host[:port]/team`, which counts for the repositories below it alone.
 */
import { hubNames } from '../config/docker/index-name.ts';

/** The key of Docker Hub, from the days of its first API. */
export const hubKey = 'https://index.docker.io/v1/';

/** A key taken apart. */
interface KeyParts {
  /** `host[:port]` */
  readonly host: string;
  /** Without slashes at its ends; empty for the whole registry. */
  readonly namespace: string;
}

/** The key of a registry in config.json and with helpers: the host itself, except for Docker Hub. */
export function authConfigKey(name: string): string {
  const { host, namespace } = splitKey(name);
  if (namespace === '') return isHub(host) ? hubKey : name;
  return `${isHub(host) ? 'docker.io' : host}/${namespace}`;
}

/** Keys under which a registry or namespace is kept, the one that is written first. Docker Hub has several. */
export function literalKeys(name: string): readonly string[] {
  const { host, namespace } = splitKey(name);
  if (namespace !== '') return (isHub(host) ? hubNames : [host]).map((each) => `${each}/${namespace}`);
  return isHub(host) ? [hubKey, ...hubNames] : [name];
}

/** {@link literalKeys}, and behind them the one with or without the port 443. */
export function exactKeys(name: string): readonly string[] {
  const other = otherSpelling(name);
  return other === undefined ? literalKeys(name) : [...literalKeys(name), other];
}

/**
 * The same registry or namespace with the port 443 written or left out, as https has it. Undefined where another port is
 * written, and for Docker Hub, whose names are aliases.
 */
export function otherSpelling(name: string): string | undefined {
  const [, host = '', port, path = ''] = /^([^/:]+|\[[^\]]*\])(:\d+)?(\/.*)?$/s.exec(name) ?? [];
  if (host === '' || hubNames.includes(host) || (port !== undefined && port !== ':443')) return undefined;
  return port === undefined ? `${host}:443${path}` : `${host}${path}`;
}

/** Whether a key, which may be a URL, is of this registry, or of exactly this namespace. */
export function keyMatches(key: string, name: string): boolean {
  const [left, right] = [splitKey(key), splitKey(name)];
  if (left.namespace !== right.namespace) return false;
  if (isHub(right.host)) return isHub(left.host);
  return left.host === right.host || left.host === otherSpelling(right.host);
}

/** The names that count for a repository, `host/a/b`, or for a namespace: it, what it lies in, and the host last. */
export function enclosingNames(name: string): readonly string[] {
  const { host, namespace } = splitKey(name);
  const parts = namespace === '' ? [] : namespace.split('/');
  return [...parts.map((_, at) => `${host}/${parts.slice(0, parts.length - at).join('/')}`), host];
}

/** The path of a URL is that of an API, and so is a bare `v1` or `v2`: only other paths are namespaces. */
export function splitKey(key: string): KeyParts {
  const host = convertToHostname(key);
  if (/^https?:\/\//i.test(key)) return { host, namespace: '' };
  const path = key.slice(host.length).replace(/^\/+|\/+$/g, '');
  return { host, namespace: /^v[12]$/.test(path) ? '' : path };
}

/** A key as people are shown it: `docker.io`, `host:5000`, `host/team`. */
export function shownKey(key: string): string {
  const { host, namespace } = splitKey(key);
  const name = isHub(host) ? 'docker.io' : host;
  return namespace === '' ? name : `${name}/${namespace}`;
}

/** `host[:port]` of a host or an http(s) URL: scheme and path are stripped. */
export function convertToHostname(text: string): string {
  return text.replace(/^https?:\/\//i, '').replace(/\/.*$/s, '');
}

function isHub(host: string): boolean {
  return hubNames.includes(convertToHostname(host));
}
