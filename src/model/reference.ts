// STUB: signatures are fixed; the bodies are being written.
import type { Digest } from './digest.ts';

declare const nameBrand: unique symbol;
declare const tagBrand: unique symbol;
declare const storeBrand: unique symbol;

/** A repository's path inside one registry, as in `/v2/<name>/`; only its parsers produce it. */
export type RepositoryName = string & { readonly [nameBrand]: true };
/** A repository of the local store: (domain, path) in one name. */
export type StoreName = RepositoryName & { readonly [storeBrand]: true };
export type Tag = string & { readonly [tagBrand]: true };

/** A parsed reference. Immutable. Without tag and digest it means the tag `latest`, which {@link withDefaultTag} adds. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, … as written, except that index.docker.io becomes docker.io. */
  readonly domain: string;
  readonly path: RepositoryName;
  readonly tag?: Tag;
  readonly digest?: Digest;
}

export const defaultDomain = 'docker.io';
export const defaultTag = 'latest' as Tag;

/** @throws OciError REFERENCE_INVALID */
export declare function parseReference(text: string): Reference;
/** @throws OciError NAME_INVALID. The grammar of the distribution spec, at most 255 characters. */
export declare function parseRepositoryName(text: string): RepositoryName;
/** @throws OciError TAG_INVALID */
export declare function parseTag(text: string): Tag;
export declare function tryParseTag(text: unknown): Tag | undefined;
export declare function tryParseRepositoryName(text: unknown): RepositoryName | undefined;
export declare function withDefaultTag(reference: Reference): Reference;
/** `docker.io/library/alpine:3` in full. */
export declare function formatReference(reference: Reference): string;
/** `alpine:3`: without docker.io/ and library/. */
export declare function familiarReference(reference: Reference): string;
/** `alpine`: the familiar form without tag and digest. */
export declare function familiarName(reference: Pick<Reference, 'domain' | 'path'>): string;
/** What `/manifests/<this>` asks for: the digest where there is one, else the tag, else `latest`. */
export declare function manifestReference(reference: Reference): Tag | Digest;
export declare function isDigestReference(reference: Tag | Digest): reference is Digest;
export declare function toStoreName(reference: Pick<Reference, 'domain' | 'path'>): StoreName;
/** The inverse of {@link toStoreName}; undefined where a directory name is no store name. */
export declare function fromStoreName(
  name: string,
): { readonly domain: string; readonly path: RepositoryName } | undefined;
