/** Patterns of repositories in a policy: of all that match, the longest counts. */
import { type RepositoryPattern, repositoryPattern } from '../../model/access-rules.ts';
import { quote } from '../../model/quote.ts';
import { defaultDomain, type Reference } from '../../model/reference/reference.ts';
import { looksLikeDomain, splitDomain } from '../../model/reference/reference-grammar.ts';
import { configError } from '../documents/config-error.ts';
import type { Sourced } from '../origin.ts';

export interface TrustPattern {
  /** In full: equal for two patterns of the same meaning. */
  readonly text: string;
  matches(reference: Pick<Reference, 'domain' | 'path'>): boolean;
}

/**
 * Parses `HOST`, `HOST/**`, `HOST/team/*`, `HOST/team/app` or `*.example.com/…`: `*` matches within one component, `**` one or
 * more components. Names of Docker Hub are read as everywhere: `docker.io/alpine` is `docker.io/library/alpine`.
 *
 * @throws OciError CONFIG_INVALID
 */
export function readTrustPattern({ value, origin }: Sourced<string>): TrustPattern {
  const { domain, rest } = value.includes('/') ? splitDomain(value) : { domain: value, rest: '**' };
  const refuse = (reason: string, hint?: string): never => {
    throw configError(origin, `${quote(value)} ${reason}`, hint);
  };
  const isHub = domain === defaultDomain && !/^(?:index\.)?docker\.io(?:\/|$)/.test(value);
  if (isHub || !looksLikeDomain(domain)) {
    if (/^\*+(?:\/|$)/.test(value)) return refuse('covers all registries', 'the rule for all others is "default"');
    const meant = value.includes('/') ? `docker.io/${value}` : `docker.io/library/${value}`;
    return refuse('begins with no registry', `for images of Docker Hub write ${meant}`);
  }
  const host = readHost(domain === 'index.docker.io' ? defaultDomain : domain);
  if (!host) return refuse('names no registry', 'write it as host[:port]/team/app, or *.example.com/team/**');
  const path = domain === defaultDomain && !rest.includes('/') && rest !== '**' ? `library/${rest}` : rest;
  const repository = /[:@]/.test(rest) ? undefined : repositoryPattern(path);
  if (!repository) {
    const hint = 'write it as host/team/app, host/team/* for what is right below, or host/team/** for all below';
    return refuse(/[:@]/.test(rest) ? 'names a tag or digest, and rules are for repositories' : 'is no pattern', hint);
  }
  return patternOf(host, path, repository);
}

interface Host {
  readonly text: string;
  readonly matches: (domain: string) => boolean;
}

function readHost(domain: string): Host | undefined {
  const text = domain.toLowerCase();
  const [, wildcard, suffix = ''] = /^(\*\.)?(\[[0-9a-f:]+\](?::\d+)?|[\w.-]+(?::\d+)?)$/.exec(text) ?? [];
  if (suffix === '') return undefined;
  if (wildcard === undefined) return { text, matches: (other) => other.toLowerCase() === text };
  return { text, matches: (other) => other.toLowerCase().endsWith(`.${suffix}`) };
}

function patternOf(host: Host, path: string, matches: RepositoryPattern): TrustPattern {
  return {
    text: `${host.text}/${path}`,
    matches: (reference) => host.matches(reference.domain) && matches(reference.path),
  };
}

/**
 * Orders patterns so that the first that matches counts: those without a star, then the ones with more characters that are
 * no star, then the ones whose first star is further behind.
 */
export function byLength(a: Pick<TrustPattern, 'text'>, b: Pick<TrustPattern, 'text'>): number {
  const star = ({ text }: Pick<TrustPattern, 'text'>): number => (text.includes('*') ? text.indexOf('*') : Infinity);
  const length = ({ text }: Pick<TrustPattern, 'text'>): number => text.replaceAll('*', '').length;
  if (Number.isFinite(star(a)) !== Number.isFinite(star(b))) return Number.isFinite(star(a)) ? 1 : -1;
  return length(b) - length(a) || star(b) - star(a) || (a.text < b.text ? -1 : 1);
}
