/**
 * Names of images, repositories and tags.
 *
 * @see https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 */
import { type Digest, digestAlgorithms } from '../digest.ts';
import { OciError } from '../errors.ts';
import { quote } from '../quote.ts';
import type { Reference, RepositoryName, Tag } from './names.ts';
import {
  defaultDomain,
  looksLikeDomain,
  maxNameLength,
  nameProblem,
  readReference,
  tagProblem,
} from './reference-grammar.ts';
import { repairReference } from './reference-repair.ts';

export type { Reference, RepositoryName, StoreName, Tag } from './names.ts';
export { defaultDomain } from './reference-grammar.ts';
export { fromStoreName, toStoreName } from './store-name.ts';

/** The tag of a reference that has none. */
export const defaultTag = 'latest' as Tag;

/**
 * Reads a reference as Docker does: `alpine`, `localhost:5000/app:1`, `ghcr.io/org/app@sha256:…`. Stricter than Docker
 * where it accepts what cannot work: ports past 65535, malformed IPv6 addresses, underscores in a domain.
 *
 * @throws OciError REFERENCE_INVALID whose message starts with Docker's, and whose hint has what was plainly meant.
 */
export function parseReference(text: string): Reference {
  const read = readReference(text);
  if ('domain' in read) return read;
  const meant = repairReference(text);
  const hint = meant === undefined ? read.hint : `did you mean ${meant}?`;
  throw new OciError('REFERENCE_INVALID', read.problem, { hint });
}

/**
 * Reads a repository's path: the grammar of the distribution spec, at most 255 characters.
 *
 * @throws OciError NAME_INVALID
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export function parseRepositoryName(text: string): RepositoryName {
  const problem = nameProblem(text) ?? (text.length > maxNameLength ? 'too long' : undefined);
  if (problem === undefined) return text as RepositoryName;
  if (problem === 'too long') {
    throw new OciError('NAME_INVALID', `invalid repository name: it has ${text.length} characters, more than 255`);
  }
  const reason = problem === 'uppercase' ? 'it must be lowercase' : problem;
  throw new OciError('NAME_INVALID', `invalid repository name ${quote(text)}: ${reason}`);
}

/** Reads a tag: 1 to 128 word characters, dots and hyphens. @throws OciError TAG_INVALID */
export function parseTag(text: string): Tag {
  const problem = tagProblem(text);
  if (problem === undefined) return text as Tag;
  throw new OciError('TAG_INVALID', `invalid tag ${quote(text)}: ${problem}`);
}

/** The tag, or undefined where the value is none. For lists of a registry that may hold anything. */
export function tryParseTag(text: unknown): Tag | undefined {
  return typeof text === 'string' && tagProblem(text) === undefined ? (text as Tag) : undefined;
}

/** The name, or undefined where the value is none. For lists of a registry that may hold anything. */
export function tryParseRepositoryName(text: unknown): RepositoryName | undefined {
  if (typeof text !== 'string' || text.length > maxNameLength) return undefined;
  return nameProblem(text) === undefined ? (text as RepositoryName) : undefined;
}

/** The same reference, with the tag `latest` where it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: defaultTag } : reference;
}

/** `docker.io/library/alpine:3` in full. */
export function formatReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** `alpine:3`: without docker.io/ and library/. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

/** `alpine`: the familiar form without tag and digest. It stays full where the short form would lead elsewhere. */
export function familiarName({ domain, path }: Pick<Reference, 'domain' | 'path'>): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const short = /^library\/[^/]+$/.test(path) ? path.slice('library/'.length) : path;
  const slash = short.indexOf('/');
  const misleads = slash === -1 ? /^[a-f0-9]{64}$/.test(short) : looksLikeDomain(short.slice(0, slash));
  return misleads ? `${domain}/${path}` : short;
}

/** What `/manifests/<this>` asks for: the digest where there is one, else the tag, else `latest`. */
export function manifestReference(reference: Reference): Tag | Digest {
  return reference.digest ?? reference.tag ?? defaultTag;
}

/** Tells a digest from a tag, and from a name in a layout, which may have a colon too. */
export function isDigestReference(reference: Tag | Digest): reference is Digest {
  return Object.hasOwn(digestAlgorithms, reference.slice(0, Math.max(0, reference.indexOf(':'))));
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
