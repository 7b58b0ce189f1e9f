/** Optional capabilities: small interfaces that are asked for with `registry.extension(key)`, never methods that throw. */
import type { Digest } from '../model/digest.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { type ExtensionKey, extensionKey } from './extension-key.ts';
import type { SignalOption } from './options.ts';

export type { ExtensionKey };

/** Every blob a registry holds, in any repository. */
export interface BlobEnumerator {
  blobs(opts?: SignalOption): AsyncIterable<{ readonly digest: Digest; readonly size: number }>;
}
export const blobEnumerator = extensionKey<BlobEnumerator>('blob-enumerator');

/** Every manifest of a repository, tagged or not. */
export interface ManifestEnumerator {
  manifests(repo: RepositoryName, opts?: SignalOption): AsyncIterable<Digest>;
}
export const manifestEnumerator = extensionKey<ManifestEnumerator>('manifest-enumerator');

export interface RepositoryRemover {
  /** Removes a repository with its tags and manifests. Its blobs go with the next collection. */
  removeRepository(repo: RepositoryName, opts?: SignalOption): Promise<void>;
}
export const repositoryRemover = extensionKey<RepositoryRemover>('repository-remover');

export interface UntaggedRemover {
  /**
   * Removes a manifest unless a tag points at it, also one that comes while it is removed.
   *
   * @returns Whether it did. @throws OciError MANIFEST_UNKNOWN
   */
  removeUntagged(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<boolean>;
}
export const untaggedRemover = extensionKey<UntaggedRemover>('untagged-remover');

/** Every digest a tag pointed to. */
export interface TagHistory {
  history(repo: RepositoryName, tag: Tag, opts?: SignalOption): AsyncIterable<Digest>;
}
export const tagHistory = extensionKey<TagHistory>('tag-history');

/** How many, and how many bytes they have together. */
export interface Tally {
  readonly count: number;
  readonly bytes: number;
}

export interface CollectOptions extends SignalOption {
  /**
   * What was written within this time stays, and so does what a process counted on that died within it. Default: 0, or an
   * hour where a transfer of an earlier version holds a lease on the store.
   */
  readonly graceMs?: number | undefined;
  /** Nothing is removed; the result is what would be. */
  readonly dryRun?: boolean | undefined;
  /** Also removes manifests that no tag leads to, but for those that are pinned. Default false: every manifest stays. */
  readonly untagged?: boolean | undefined;
  /** Downloads and uploads that nobody has gone on with for so long go. Default a week. */
  readonly unfinishedMs?: number | undefined;
}

export interface CollectResult {
  readonly removed: readonly { readonly digest: Digest; readonly size: number }[];
  readonly untagged: readonly { readonly repo: RepositoryName; readonly digest: Digest }[];
  /** Links of repositories to blobs that none of their manifests names. */
  readonly links: number;
  /** Downloads and uploads that nobody goes on with, and drafts of processes that are dead. */
  readonly unfinished: Tally;
  /** Blobs and downloads that no manifest names, and that stayed. */
  readonly kept: {
    /** A living process counts on them. */
    readonly inUse: Tally;
    /** They were written within the time of grace. */
    readonly recent: Tally;
    /** Those without a tag that stayed for one of these reasons, with all that they name. */
    readonly manifests: number;
  };
}

/** Removes blobs that no repository's manifest names any more, and what transfers left that came to no end. */
export interface GarbageCollector {
  collect(opts?: CollectOptions): Promise<CollectResult>;
}
export const garbageCollector = extensionKey<GarbageCollector>('garbage-collector');

/** Gives up the upload sessions that nobody goes on with, of earlier runs too. */
export interface UploadSweeper {
  /** @param opts.idleMs Sessions that have not been written to for so long. */
  sweepUploads(opts: SignalOption & { readonly idleMs: number }): Promise<void>;
}
export const uploadSweeper = extensionKey<UploadSweeper>('upload-sweeper');

/** A store that several processes use: a lease tells collectors that a transfer is under way. */
export interface Leases {
  lease(opts?: SignalOption): Promise<AsyncDisposable>;
}
export const leases = extensionKey<Leases>('leases');

/** Tells which endpoint answers, where a registry stands for several. */
export interface EndpointReport {
  /** Name of the endpoint that served the last manifest, as host[:port]. */
  servedBy(): string | undefined;
  /** The same as errors have it, with scheme and port; undefined where it is none that has an address. */
  origin(): string | undefined;
}
export const endpointReport = extensionKey<EndpointReport>('endpoint-report');

/** Of a registry to push to: whether layers that only their owner may give away are pushed there all the same. */
interface ForeignLayers {
  readonly accepted: boolean;
}
export const foreignLayers = extensionKey<ForeignLayers>('foreign-layers');

/** Keeps manifests that have no tag, since somebody has asked for them by digest, where a collection removes such. */
export interface Pins {
  pin(repo: RepositoryName, digest: Digest): Promise<void>;
}
export const pins = extensionKey<Pins>('pins');

/** Which of some blobs a repository holds whole, as far as their sizes tell: nothing is read. */
export interface BlobSizes {
  /** Undefined for one that is not there. */
  sizeOf(repo: RepositoryName, digest: Digest): Promise<number | undefined>;
}
export const blobSizes = extensionKey<BlobSizes>('blob-sizes');
