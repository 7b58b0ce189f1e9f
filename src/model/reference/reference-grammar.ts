/**
 * The grammar of references, as Docker reads them. The text is scanned part by part with expressions that cannot
 * backtrack far, so that hostile text costs linear time.
 *
 * @see https://github.com/distribution/reference/blob/v0.6.0/regexp.go
 */
import { type Digest, parseDigest } from '../digest.ts';
import { isOciError } from '../errors.ts';
import { parseIpv6 } from '../ipv6.ts';
import { quote } from '../quote.ts';
import type { Reference, RepositoryName, Tag } from './names.ts';

/** The error for a text: a sentence that begins as Docker's does. */
interface Problem {
  readonly problem: string;
  readonly hint?: string | undefined;
}

/** The registry of a name without a domain: Docker Hub. */
export const defaultDomain = 'docker.io';
/** Maximum characters of a repository's path, without the domain. */
export const maxNameLength = 255;
const maxTagLength = 128;

const format = 'invalid reference format';
const carried = 'a reference cannot carry a user name or a password';
const component = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;

/** Parses a whole reference. It suggests no repaired one: `repairReference` does. */
export function readReference(text: string): Reference | Problem {
  if (text === '') return { problem: `${format}: the reference is empty` };
  const scheme = /^(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?\/\//.exec(text)?.[0];
  if (scheme !== undefined) {
    return { problem: `${format}: ${show(text)} begins with ${quote(scheme)}, which is not part of a reference` };
  }
  if (/^[a-f0-9]{64}$/.test(text)) {
    return {
      problem: `invalid repository name (${text}): a name cannot be 64 hexadecimal characters`,
      hint: `a digest follows the repository, as in REPOSITORY@sha256:${text}`,
    };
  }
  const { domain, rest } = splitDomain(text);
  const problem = carriesUser(text, userEnd(text))
    ? carried
    : domain === defaultDomain
      ? undefined
      : domainProblem(domain);
  if (problem !== undefined) return { problem: within(`${format}: ${problem}`, text) };
  return readRest(domain, rest, text);
}

/** Splits off the domain: the first segment is one if it cannot be a name on Docker Hub. */
export function splitDomain(text: string): { readonly domain: string; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  if (slash === -1 || !looksLikeDomain(first)) return { domain: defaultDomain, rest: text };
  return { domain: first === 'index.docker.io' ? defaultDomain : first, rest: text.slice(slash + 1) };
}

/** Whether a first segment is read as a domain, well-formed or not. */
export function looksLikeDomain(segment: string): boolean {
  return segment === 'localhost' || /[.:A-Z]/.test(segment);
}

function readRest(domain: string, rest: string, text: string): Reference | Problem {
  const at = rest.indexOf('@');
  const named = at === -1 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':');
  const name = colon === -1 ? named : named.slice(0, colon);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  const path = domain === defaultDomain && !name.includes('/') ? `library/${name}` : name;

  const wrong = nameProblem(name);
  if (wrong === 'uppercase') return { problem: within(`repository name must be lowercase: ${quote(name)}`, text) };
  const problem = wrong ?? (tag === undefined ? undefined : tagProblem(tag));
  if (problem !== undefined) return { problem: within(`${format}: ${problem}`, text) };
  if (path.length > maxNameLength) return { problem: `${tooLong}: ${quote(path, 40)} has ${path.length}` };
  const digest = at === -1 ? undefined : readDigest(rest.slice(at + 1), text);
  if (typeof digest === 'object') return digest;
  return {
    domain,
    path: path as RepositoryName,
    ...(tag !== undefined && { tag: tag as Tag }),
    ...(digest !== undefined && { digest }),
  };
}

const tooLong = `repository name must not be more than ${maxNameLength} characters`;

function readDigest(digest: string, text: string): Digest | Problem {
  // In Docker's grammar, shorter hex is not a digest at all, and longer hex is a malformed one.
  if (!/^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}$/.test(digest)) {
    const wrong = digest === '' ? 'nothing follows the "@"' : `${show(digest)} is not a digest`;
    return { problem: within(`${format}: ${wrong}`, text) };
  }
  try {
    return parseDigest(digest);
  } catch (error) {
    if (!isOciError(error)) throw error;
    return { problem: error.message, hint: error.hint };
  }
}

/** What is wrong with a repository's path; `uppercase` if nothing else is. The length is not checked. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'the repository name is empty';
  const wrong = name.split('/').find((part) => !component.test(part));
  if (wrong === undefined) return undefined;
  if (wrong === '') return 'a component of the name is empty, for a "/" at its start, its end or beside another';
  const strange = /[^A-Za-z0-9._/-]/u.exec(name)?.[0];
  if (strange !== undefined) return `the character ${quote(strange)} is not allowed in a repository name`;
  if (/[A-Z]/.test(name)) return nameProblem(name.toLowerCase()) ?? 'uppercase';
  if (/^[._-]|[._-]$/.test(wrong)) return `the component ${quote(wrong)} must start and end with a letter or digit`;
  const separator = /[._-]{2,}/.exec(wrong.replace(/(?<=[a-z0-9])(?:__|-+)(?=[a-z0-9])/g, ' '))?.[0] ?? '';
  return `${quote(separator, 20)} in the component ${quote(wrong)} is not a separator: use ".", "_", "__" or hyphens`;
}

/** What is wrong with a tag. */
export function tagProblem(tag: string): string | undefined {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag)) return undefined;
  if (tag === '') return 'the tag after ":" is empty';
  const strange = /[^A-Za-z0-9_.-]/u.exec(tag)?.[0];
  if (strange !== undefined) return `the character ${quote(strange)} is not allowed in a tag`;
  if (/^[.-]/.test(tag)) return `the tag ${quote(tag)} must start with a letter, a digit or "_"`;
  return `the tag ${quote(tag, 40)} has ${tag.length} characters, more than ${maxTagLength}`;
}

/** What is wrong with a domain, which may include a port. */
function domainProblem(domain: string): string | undefined {
  if (domain.includes('@')) return carried;
  const colon = domain.startsWith('[') ? domain.indexOf(':', domain.indexOf(']')) : domain.indexOf(':');
  const host = colon === -1 ? domain : domain.slice(0, colon);
  const port = colon === -1 ? undefined : domain.slice(colon + 1);
  if (domain.startsWith('[')) {
    if (!host.endsWith(']') || !parseIpv6(host.slice(1, -1))) {
      return `${show(domain)} is not an IPv6 address (hexadecimal and colons, without a zone) in brackets`;
    }
  } else {
    if (isBareIpv6(domain)) return `the IPv6 address ${quote(domain)} lacks brackets`;
    const wrong = host.split('.').find((part) => !label.test(part));
    if (wrong === '') return `a part of the domain ${show(domain)} is empty`;
    if (wrong !== undefined) return `${show(wrong)} cannot be a part of the domain ${show(domain)}`;
  }
  if (port === undefined) return undefined;
  if (!/^[0-9]+$/.test(port)) return `the port ${show(port)} of the domain ${show(domain)} is not a number`;
  return Number(port) > 65_535 ? `the port ${quote(port, 20)} is not between 0 and 65535` : undefined;
}

/** Whether a domain is hexadecimal digits with at least two colons: an IPv6 address without its brackets. */
export function isBareIpv6(domain: string): boolean {
  return /^[0-9A-Fa-f:]+$/.test(domain) && domain.indexOf(':') !== domain.lastIndexOf(':');
}

/** The text in quotes, without the credentials and query string that a pasted URL may contain. */
export function show(text: string): string {
  const authority = /^(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?\/\//.exec(text)?.[0] ?? '';
  const rest = text.slice(authority.length);
  const question = rest.indexOf('?');
  // Either a password with a "?" in it, or a query with an "@": both may be secrets.
  if (question !== -1 && rest.includes('@', question)) return quote(`${authority}…`);
  const bare = question === -1 ? rest : `${rest.slice(0, question)}?…`;
  const end = userEnd(bare);
  const hidden = authority === '' ? carriesUser(bare, end) : end > 0;
  return quote(hidden ? `${authority}…@${bare.slice(end)}` : authority + bare);
}

/**
 * Where the host of a pasted URL begins: after the last `@` that is not followed by a digest. A password may contain
 * slashes.
 */
export function userEnd(text: string): number {
  const digest = /@[A-Za-z][A-Za-z0-9+._-]*:[0-9A-Fa-f]{32,}$/.exec(text);
  return text.slice(0, digest?.index ?? text.length).lastIndexOf('@') + 1;
}

// Credentials without a scheme: `user@host/x`, or `user:pass/word@host/x`, where a "/" follows the "@".
function carriesUser(text: string, end: number): boolean {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  return first.includes('@') || (first.includes(':') && end > 0 && text.includes('/', end));
}

/** Adds the whole text to the problem, unless the problem quotes it already. */
function within(problem: string, text: string): string {
  const whole = show(text);
  return problem.includes(whole) ? problem : `${problem}, in ${whole}`;
}
