/**
 * Names of images, repositories and tags: parsing and formatting.
 *
 * @see https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 */
import { checkArgument, checkFields } from '../check-arguments.ts';
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

/** The tag of a reference without tag and digest. */
export const defaultTag = 'latest' as Tag;

/**
 * Parses a reference as Docker does: `alpine`, `localhost:5000/app:1`, `ghcr.io/org/app@sha256:…`. Stricter than Docker for
 * what cannot work: ports above 65535, malformed IPv6 addresses, underscores in a domain.
 *
 * @throws OciError REFERENCE_INVALID. The message starts as Docker's; the hint has the reference that was obviously meant.
 */
export function parseReference(text: string): Reference {
  checkArgument('parseReference', 'the reference', text, 'string');
  const read = readReference(text);
  if ('domain' in read) return read;
  const meant = repairReference(text);
  const hint = meant === undefined ? read.hint : `did you mean ${meant}?`;
  throw new OciError('REFERENCE_INVALID', read.problem, { hint });
}

/**
 * Parses a repository's path by the grammar of the distribution spec, at most 255 characters.
 *
 * @throws OciError NAME_INVALID
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export function parseRepositoryName(text: string): RepositoryName {
  checkArgument('parseRepositoryName', 'the name', text, 'string');
  const problem = nameProblem(text) ?? (text.length > maxNameLength ? 'too long' : undefined);
  if (problem === undefined) return text as RepositoryName;
  if (problem === 'too long') {
    throw new OciError('NAME_INVALID', `invalid repository name: it has ${text.length} characters, more than 255`);
  }
  const reason = problem === 'uppercase' ? 'it must be lowercase' : problem;
  throw new OciError('NAME_INVALID', `invalid repository name ${quote(text)}: ${reason}`);
}

/** Parses a tag: 1 to 128 word characters, dots and hyphens. @throws OciError TAG_INVALID */
export function parseTag(text: string): Tag {
  checkArgument('parseTag', 'the tag', text, 'string');
  const problem = tagProblem(text);
  if (problem === undefined) return text as Tag;
  throw new OciError('TAG_INVALID', `invalid tag ${quote(text)}: ${problem}`);
}

/** The tag, or undefined if the value is not one. For untrusted lists of a registry. */
export function tryParseTag(text: unknown): Tag | undefined {
  return typeof text === 'string' && tagProblem(text) === undefined ? (text as Tag) : undefined;
}

/** The name, or undefined if the value is not one. For untrusted lists of a registry. */
export function tryParseRepositoryName(text: unknown): RepositoryName | undefined {
  if (typeof text !== 'string' || text.length > maxNameLength) return undefined;
  return nameProblem(text) === undefined ? (text as RepositoryName) : undefined;
}

/** What every reference has. */
const inReference = { domain: 'string', path: 'string' } as const;

/** The same reference, with the tag `latest` if it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  checkFields('withDefaultTag', 'the reference', reference, inReference);
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: defaultTag } : reference;
}

/** The full form: `docker.io/library/alpine:3`. */
export function formatReference(reference: Reference): string {
  checkFields('formatReference', 'the reference', reference, inReference);
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** The short form: `alpine:3`, without docker.io/ and library/. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

/** The short form without tag and digest: `alpine`. The full form if the short one would be parsed as another image. */
export function familiarName(reference: Pick<Reference, 'domain' | 'path'>): string {
  checkFields('familiarName', 'the reference', reference, inReference);
  const { domain, path } = reference;
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const short = /^library\/[^/]+$/.test(path) ? path.slice('library/'.length) : path;
  const slash = short.indexOf('/');
  const misleads = slash === -1 ? /^[a-f0-9]{64}$/.test(short) : looksLikeDomain(short.slice(0, slash));
  return misleads ? `${domain}/${path}` : short;
}

/** The last part of `/v2/<name>/manifests/<reference>`: the digest if there is one, else the tag, else `latest`. */
export function manifestReference(reference: Reference): Tag | Digest {
  checkFields('manifestReference', 'the reference', reference, inReference);
  return reference.digest ?? reference.tag ?? defaultTag;
}

/** Distinguishes a digest from a tag, and from a name in a layout, which may contain a colon too. */
export function isDigestReference(reference: Tag | Digest): reference is Digest {
  checkArgument('isDigestReference', 'the reference', reference, 'string');
  return Object.hasOwn(digestAlgorithms, reference.slice(0, Math.max(0, reference.indexOf(':'))));
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
