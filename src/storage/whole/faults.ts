import type { Digest } from '../../model/digest.ts';
import type { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Tally } from '../../registry/extensions.ts';
import type { SignalOption } from '../../registry/registry.ts';

/** Something that is wrong in a store. */
export interface StoreFault {
  /**
   * `link`: a repository's link to a blob that no manifest names. `blob`: one that no manifest names. `repository`: a part of
   * it that cannot be read, so that the rest of it was not checked. `directory`: one with blobs that cannot be read.
   */
  readonly kind: 'directory' | 'repository' | 'tag' | 'manifest' | 'config' | 'layer' | 'link' | 'referrer' | 'blob';
  /**
   * `damaged`: other bytes, or another size. `invalid`: a manifest with the right bytes, which no client can use.
   * `missing`: something names it. `dangling`: it leads to nothing.
   */
  readonly state: 'damaged' | 'invalid' | 'missing' | 'dangling';
  /** Undefined for a directory or repository, and for a tag or link that holds no digest and has no digest as its name. */
  readonly digest: Digest | undefined;
  readonly size: number | undefined;
  /** What it makes incomplete: `team/app:1`, or `team/app@sha256:…` without a tag; for a link its repository; for a directory its path. */
  readonly names: readonly string[];
  /** What was done about it; undefined: nothing. */
  readonly repaired: 'fetched' | 'linked' | 'removed' | undefined;
  /** Why it is invalid or cannot be read; otherwise why it could not be repaired. */
  readonly error: OciError | undefined;
}

/** What a check has read. */
export interface StoreCheck {
  repositories: number;
  tags: number;
  manifests: number;
  readonly blobs: { -readonly [K in keyof Tally]: Tally[K] };
  /** Faults that are still there. */
  faults: number;
  /** Faults that were repaired. */
  repaired: number;
}

/** Fetches content from another registry. It is verified. */
interface Fetcher {
  blob(repo: RepositoryName, descriptor: Descriptor): Promise<void>;
  manifest(repo: RepositoryName, digest: Digest): Promise<void>;
}

export interface CheckOptions extends SignalOption {
  /** Whether all blobs are hashed; otherwise only their sizes are compared. */
  readonly bytes?: boolean | undefined;
  /** Removes what leads to nothing, links what is there, and fetches what is missing if there is a fetcher. */
  readonly repair?: boolean | undefined;
  readonly fetcher?: Fetcher | undefined;
  readonly onFault?: ((fault: StoreFault) => Promise<void> | void) | undefined;
  readonly onBlob?: ((blob: Descriptor, state: 'begins' | 'ended') => void) | undefined;
}
