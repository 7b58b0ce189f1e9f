import type { Digest } from '../digest.ts';

declare const nameBrand: unique symbol;
declare const tagBrand: unique symbol;
declare const storeBrand: unique symbol;

/** A repository's path inside one registry, as in `/v2/<name>/`; only its parsers produce it. */
export type RepositoryName = string & { readonly [nameBrand]: true };
/** A repository of the local store: (domain, path) in one name. */
export type StoreName = RepositoryName & { readonly [storeBrand]: true };
/** A tag; only its parsers produce it. */
export type Tag = string & { readonly [tagBrand]: true };

/** A parsed reference. Immutable. Without tag and digest it means the tag `latest`, which {@link withDefaultTag} adds. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, … as written, except that index.docker.io becomes docker.io. */
  readonly domain: string;
  readonly path: RepositoryName;
  readonly tag?: Tag;
  readonly digest?: Digest;
}
