/**
 * The names under which Docker and the containers tools store credentials: `host[:port]`, a URL of one, or
 * `host[:port]/team` for a namespace, which only counts for repositories below it.
 */

import { hubNames } from '../config/docker/index-name.ts';
import { checkArgument } from '../model/check-arguments.ts';

/** The key of Docker Hub, the URL of its first API. */
export const hubKey = 'https://index.docker.io/v1/';

/** The parts of a key. */
interface KeyParts {
  /** `host[:port]` */
  readonly host: string;
  /** Without slashes at either end; empty for the whole registry. */
  readonly namespace: string;
}

/** The key of a registry in config.json and in helpers: the host itself, except for Docker Hub. */
export function authConfigKey(name: string): string {
  const { host, namespace } = splitKey(name);
  if (namespace === '') return isHub(host) ? hubKey : name;
  return `${isHub(host) ? 'docker.io' : host}/${namespace}`;
}

/** All keys for a registry or namespace, starting with the one that is written. Docker Hub has several. */
export function literalKeys(name: string): readonly string[] {
  const { host, namespace } = splitKey(name);
  if (namespace !== '') return (isHub(host) ? hubNames : [host]).map((each) => `${each}/${namespace}`);
  return isHub(host) ? [hubKey, ...hubNames] : [name];
}

/** {@link literalKeys}, followed by the key with or without the port 443. */
export function exactKeys(name: string): readonly string[] {
  const other = otherSpelling(name);
  return other === undefined ? literalKeys(name) : [...literalKeys(name), other];
}

/**
 * The same registry or namespace with the port 443 added or removed, since that is the port of https. Undefined for
 * another port, and for Docker Hub.
 */
export function otherSpelling(name: string): string | undefined {
  const [, host = '', port, path = ''] = /^([^/:]+|\[[^\]]*\])(:\d+)?(\/.*)?$/s.exec(name) ?? [];
  if (host === '' || hubNames.includes(host) || (port !== undefined && port !== ':443')) return undefined;
  return port === undefined ? `${host}:443${path}` : `${host}${path}`;
}

/** Whether a key, which may be a URL, is for this registry, or for exactly this namespace. */
export function keyMatches(key: string, name: string): boolean {
  const [left, right] = [splitKey(key), splitKey(name)];
  if (left.namespace !== right.namespace) return false;
  if (isHub(right.host)) return isHub(left.host);
  return left.host === right.host || left.host === otherSpelling(right.host);
}

/**
 * The names whose credentials count for a repository `host/a/b` or a namespace: itself, the enclosing ones, then the host.
 */
export function enclosingNames(name: string): readonly string[] {
  const { host, namespace } = splitKey(name);
  const parts = namespace === '' ? [] : namespace.split('/');
  return [...parts.map((_, at) => `${host}/${parts.slice(0, parts.length - at).join('/')}`), host];
}

/** The path of a URL belongs to the API, as does a bare `v1` or `v2`. Only other paths are namespaces. */
export function splitKey(key: string): KeyParts {
  const host = convertToHostname(key);
  if (/^https?:\/\//i.test(key)) return { host, namespace: '' };
  const path = key.slice(host.length).replace(/^\/+|\/+$/g, '');
  return { host, namespace: /^v[12]$/.test(path) ? '' : path };
}

/** The form of a key in messages: `docker.io`, `host:5000`, `host/team`. */
export function shownKey(key: string): string {
  const { host, namespace } = splitKey(key);
  const name = isHub(host) ? 'docker.io' : host;
  return namespace === '' ? name : `${name}/${namespace}`;
}

/** The `host[:port]` of a host or an http(s) URL: scheme and path are removed. */
export function convertToHostname(text: string): string {
  checkArgument('convertToHostname', 'the registry', text, 'string');
  return text.replace(/^https?:\/\//i, '').replace(/\/.*$/s, '');
}

function isHub(host: string): boolean {
  return hubNames.includes(convertToHostname(host));
}
