import type { Digest } from '../digest.ts';

declare const nameBrand: unique symbol;
declare const tagBrand: unique symbol;
declare const storeBrand: unique symbol;

/** A repository's path inside one registry, as in `/v2/<name>/`. Only its parsers make one. */
export type RepositoryName = string & { readonly [nameBrand]: true };
/** A repository of the local store: a name that holds (domain, path). */
export type StoreName = RepositoryName & { readonly [storeBrand]: true };
/** A tag. Only its parsers make one. */
export type Tag = string & { readonly [tagBrand]: true };

/** A parsed reference. Without tag and digest it means the tag `latest`, which {@link withDefaultTag} adds. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, … as written, except that index.docker.io becomes docker.io. */
  readonly domain: string;
  /** Without the domain: `library/alpine`. */
  readonly path: RepositoryName;
  /** Absent if none was written. */
  readonly tag?: Tag;
  /** Absent if none was written. It precedes the tag. */
  readonly digest?: Digest;
}
