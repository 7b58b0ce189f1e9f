/** Registry addresses in rules: `https://host/path` in containerd's files, `host/path` in those of the containers tools. */
import { posix } from 'node:path';
import { quote } from '../../model/quote.ts';
import { withoutTrailing } from '../../model/without-trailing.ts';
import type { Sourced } from '../origin.ts';
import { defaultPrefix, type RegistrySource, splitPrefix } from '../registry-rules.ts';
import { configError } from './config-error.ts';

/**
 * Parses the address of a source: `https://host[:port][/path]`, or `host[:port][/path]` for https. A `/v2` at the end
 * of the path is removed, unless the path is that of the API itself.
 *
 * @throws OciError CONFIG_INVALID. The message contains no password.
 */
export function readSourceUrl(
  { value, origin }: Sourced<string>,
  overridePath: boolean,
): Required<Pick<RegistrySource, 'scheme' | 'host' | 'path'>> {
  const shown = quote(value.replace(/[?#].*$/s, '').replace(/^(\w+:\/\/)?[^/]*@/s, '$1…@'));
  const refuse = (reason: string): never => {
    throw configError(
      origin,
      `${shown} is not the address of a registry: ${reason}`,
      'write it as https://host[:port][/path]',
    );
  };
  const [, scheme = 'https', rest = ''] = /^(?:([^:/?#]*):\/\/)?(.*)$/s.exec(value) ?? [];
  if (!/^https?$/i.test(scheme)) return refuse(`unsupported scheme ${quote(scheme)}`);
  if (/[?#]/.test(rest)) return refuse('it has a query or a fragment');
  if (/^[^/]*@/.test(rest)) return refuse('it has a user name or a password');
  if (/[\s\\\p{Cc}]/u.test(rest)) return refuse('it has white space or a backslash');
  const [, host = '', path = ''] = /^([^/]*)(.*)$/s.exec(rest) ?? [];
  const lower = scheme.toLowerCase() === 'http' ? 'http' : 'https';
  if (host === '' || !URL.canParse(`${lower}://${host}/`)) return refuse('it has no valid host');
  const clean = posix.normalize(`/${path}/`);
  return { scheme: lower, host, path: overridePath ? clean : clean.replace(/\/v2\/$/, '/') };
}

/**
 * Parses `host[:port][/path]`, where the path is a prefix of repository names.
 *
 * @throws OciError CONFIG_INVALID
 */
export function readLocation({ value, origin }: Sourced<string>): string {
  const location = withoutTrailing(value, '/');
  if (/^[A-Za-z0-9+.-]*:\/\//.test(location)) {
    throw configError(origin, `${quote(withoutUser(location))} must not have a scheme`);
  }
  const { host, path } = splitPrefix(location);
  if (!/^(?:[\w.-]+|\[[0-9A-Fa-f:]+\])(?::\d+)?$/.test(host) || /[\s?#\\\p{Cc}]|\/\//u.test(path)) {
    throw configError(origin, `${quote(value)} is not the location of a registry`, 'write it as host[:port][/path]');
  }
  return location;
}

// Uses indexes: a regular expression would search an "@" after every "//".
function withoutUser(location: string): string {
  const [start, end] = [location.indexOf('//'), location.lastIndexOf('@')];
  return start === -1 || end < start + 2 ? location : `${location.slice(0, start)}//…${location.slice(end)}`;
}

/**
 * Parses the prefix of a rule: a location, `*.example.com`, or `_default`.
 *
 * @throws OciError CONFIG_INVALID
 */
export function readPrefix({ value, origin }: Sourced<string>): string {
  if (value === defaultPrefix) return value;
  if (!value.includes('*')) return readLocation({ value, origin });
  if (/^\*\.[\w.-]+$/.test(value)) return value;
  throw configError(origin, `${quote(value)} is not a prefix: a wildcard is written as *.example.com`);
}

/** Whether a prefix covers only one tag or digest. */
export function isForOneReference(prefix: string): boolean {
  return /[:@]/.test(splitPrefix(prefix).path);
}

/** The target of a rule: a host, and the path there that replaces that of the prefix. */
type RuleLocation = Required<Pick<RegistrySource, 'host'>> & Pick<RegistrySource, 'repositoryPrefix'>;

/** @param location As {@link readLocation} returned it. @param prefix The rule's prefix. */
export function ruleLocation(location: string, prefix: string): RuleLocation {
  const { host, path } = splitPrefix(location);
  return path === splitPrefix(prefix).path ? { host } : { host, repositoryPrefix: path };
}
