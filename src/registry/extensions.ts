/** Optional capabilities: small interfaces, requested with `registry.extension(key)`, instead of methods that throw. */
import type { Digest } from '../model/digest.ts';
import type { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { BlobSource, Content } from './content.ts';
import { type ExtensionKey, extensionKey } from './extension-key.ts';
import type { SignalOption } from './options.ts';
import type { GetBlobOptions } from './registry.ts';

export type { ExtensionKey };

/** Lists every blob that a registry holds, in any repository. */
export interface BlobEnumerator {
  /** Every blob of all repositories; size in bytes. */
  blobs(opts?: SignalOption): AsyncIterable<{ readonly digest: Digest; readonly size: number }>;
}
/** Ask a registry for its {@link BlobEnumerator}: `registry.extension(blobEnumerator)`. */
export const blobEnumerator = extensionKey<BlobEnumerator>('blob-enumerator');

/** A blob that a repository has. It was looked up once, and can then be read here or by the client itself. */
export interface LocatedBlob {
  /** Bytes. */
  readonly size: number;
  /**
   * A URL where anybody can read it for a limited time, so it must not be logged or cached for others; undefined if there is
   * none at the moment.
   *
   * @param opts.validMs How long it can be used, in milliseconds.
   */
  url(opts: { readonly validMs: number }): Promise<string | undefined>;
  /** Opens it, as `getBlob` does. */
  open(opts?: GetBlobOptions): Promise<Content>;
}

/** Tells where clients can download blobs, for a registry whose store they can reach. */
export interface BlobLocator {
  /** @throws OciError BLOB_UNKNOWN, NAME_UNKNOWN, as `getBlob` does: what may not be read has no URL either. */
  locate(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<LocatedBlob>;
}
/** Ask a registry for its {@link BlobLocator}: `registry.extension(blobLocator)`. */
export const blobLocator = extensionKey<BlobLocator>('blob-locator');

/** Lists every manifest of a repository, tagged or not. */
export interface ManifestEnumerator {
  /** Every manifest of a repository, tagged or not. @throws OciError NAME_UNKNOWN */
  manifests(repo: RepositoryName, opts?: SignalOption): AsyncIterable<Digest>;
}
/** Ask a registry for its {@link ManifestEnumerator}: `registry.extension(manifestEnumerator)`. */
export const manifestEnumerator = extensionKey<ManifestEnumerator>('manifest-enumerator');

export interface RepositoryRemover {
  /** Removes a repository with its tags and manifests. The next garbage collection removes its blobs. */
  removeRepository(repo: RepositoryName, opts?: SignalOption): Promise<void>;
}
/** Ask a registry for its {@link RepositoryRemover}: `registry.extension(repositoryRemover)`. */
export const repositoryRemover = extensionKey<RepositoryRemover>('repository-remover');

export interface UntaggedRemover {
  /**
   * Removes a manifest unless a tag points at it. A tag that is written during the removal counts too.
   *
   * @returns Whether the manifest was removed. @throws OciError MANIFEST_UNKNOWN
   */
  removeUntagged(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<boolean>;
}
export const untaggedRemover = extensionKey<UntaggedRemover>('untagged-remover');

export interface TagRemover {
  /** Removes a tag while it points at this manifest; a tag that was moved stays. @returns Whether it did. */
  removeTag(repo: RepositoryName, tag: Tag, target: Digest, opts?: SignalOption): Promise<boolean>;
}
export const tagRemover = extensionKey<TagRemover>('tag-remover');

/** Lists every digest that a tag has pointed to, the current one first. */
export interface TagHistory {
  /** What a tag has pointed at, the latest first. @throws OciError MANIFEST_UNKNOWN */
  history(repo: RepositoryName, tag: Tag, opts?: SignalOption): AsyncIterable<Digest>;
}
/** Ask a registry for its {@link TagHistory}: `registry.extension(tagHistory)`. */
export const tagHistory = extensionKey<TagHistory>('tag-history');

/** A number of objects, and the sum of their bytes. */
export interface Tally {
  /** How many. */
  readonly count: number;
  /** Their sizes added up. */
  readonly bytes: number;
}

export interface CollectOptions extends SignalOption {
  /**
   * Whatever was written within this time is kept, and so is what a process relied on that died within it. Default: 0,
   * or an hour if a transfer of an earlier version holds a lease on the store.
   */
  readonly graceMs?: number | undefined;
  /** Removes nothing; the result lists what would be removed. */
  readonly dryRun?: boolean | undefined;
  /** Also removes manifests that no tag leads to, except pinned ones. Default false: every manifest is kept. */
  readonly untagged?: boolean | undefined;
  /**
   * Also removes referrers whose subject is not in their repository, as far as no tag leads to them. Default: as
   * `untagged`. The referrers of a manifest that is removed go with it.
   */
  readonly orphans?: boolean | undefined;
  /** Removes downloads and uploads that were not continued for this long. Default a week. */
  readonly unfinishedMs?: number | undefined;
  /** Told of each blob that is removed; the result then lists none, because there may be millions. Size in bytes. */
  readonly onRemoved?: ((blob: { readonly digest: Digest; readonly size: number }) => void) | undefined;
  /** Told of each manifest that is removed; the result then lists none. */
  readonly onUntagged?: ((repo: RepositoryName, digest: Digest) => void) | undefined;
}

export interface CollectResult {
  /** Blobs that were removed; size in bytes. */
  readonly removed: readonly { readonly digest: Digest; readonly size: number }[];
  /** The same, added up. */
  readonly freed: Tally;
  /** Manifests that were removed because no tag reaches them. */
  readonly untagged: readonly { readonly repo: RepositoryName; readonly digest: Digest }[];
  /** Links of repositories to blobs that none of their manifests references. */
  readonly links: number;
  /** Downloads and uploads that were not continued, and temporary files of dead processes. */
  readonly unfinished: Tally;
  /** Blobs and downloads that no manifest references, but that were kept. */
  readonly kept: {
    /** A living process relies on them. */
    readonly inUse: Tally;
    /** They were written within the grace period. */
    readonly recent: Tally;
    /** Number of untagged manifests that were kept for one of these reasons, including what they reference. */
    readonly manifests: number;
  };
}

/** Removes blobs that no manifest of any repository references, and the remains of unfinished transfers. */
export interface GarbageCollector {
  /**
   * Removes what no manifest references. Nothing is removed before all manifests of all repositories were read, and a
   * failed read ends it.
   *
   * @throws OciError STORAGE, STORAGE_DENIED. What was removed until then stays removed; the next collection goes on.
   */
  collect(opts?: CollectOptions): Promise<CollectResult>;
}
/** Ask a registry for its {@link GarbageCollector}: `registry.extension(garbageCollector)`. */
export const garbageCollector = extensionKey<GarbageCollector>('garbage-collector');

/** Cancels abandoned upload sessions, including those of earlier runs. */
export interface UploadSweeper {
  /** @param opts.idleMs Minimum time since the last write to a session, in milliseconds. */
  sweepUploads(opts: SignalOption & { readonly idleMs: number }): Promise<void>;
}
/** Ask a registry for its {@link UploadSweeper}: `registry.extension(uploadSweeper)`. */
export const uploadSweeper = extensionKey<UploadSweeper>('upload-sweeper');

/** Asks the medium that a registry keeps its content on. */
export interface StorageCheck {
  /** One cheap call. @throws OciError if the medium cannot be used. */
  check(): Promise<void>;
}
/** Ask a registry for its {@link StorageCheck}: `registry.extension(storageCheck)`. */
export const storageCheck = extensionKey<StorageCheck>('storage-check');

/** For a store that several processes use: a lease tells garbage collectors that a transfer is in progress. */
export interface Leases {
  /** Keeps what this process relies on from collections, until it is disposed. */
  lease(opts?: SignalOption): Promise<AsyncDisposable>;
}
/** Ask a registry for its {@link Leases}: `registry.extension(leases)`. */
export const leases = extensionKey<Leases>('leases');

/** Tells which endpoint answered, for a registry that consists of several. */
export interface EndpointReport {
  /** Name of the endpoint that served the last manifest, as host[:port]. */
  servedBy(): string | undefined;
  /** Scheme, host and port of that endpoint, as in errors; undefined if it has no address. */
  origin(): string | undefined;
}
/** Ask a registry for its {@link EndpointReport}: `registry.extension(endpointReport)`. */
export const endpointReport = extensionKey<EndpointReport>('endpoint-report');

/** How many manifests a registry still gives, as its last answer said. */
export interface PullLimit {
  /** In the whole window. */
  readonly limit: number;
  /** Until the window ends. */
  readonly remaining: number;
  /** Length of the window in seconds; undefined if the registry does not say. */
  readonly windowSeconds: number | undefined;
}

/** Tells of a limit on pulls, for a registry that has one. */
export interface PullLimits {
  /** Undefined if no answer named a limit so far. */
  last(): PullLimit | undefined;
}
/** Ask a registry for its {@link PullLimits}: `registry.extension(pullLimits)`. */
export const pullLimits = extensionKey<PullLimits>('pull-limits');

/** Opens connections ahead, for a registry over a network. */
export interface Connecting {
  /**
   * Opens connections while the first answer is awaited, for requests that will certainly follow. What goes wrong is left to
   * those requests.
   *
   * @param count The number of requests that can then be sent at once.
   */
  open(count: number): void;
  /** Tells that many requests will follow, several at once, whose number the first answers decide. Opens nothing. */
  expectMany(): void;
}
/** Ask a registry for its {@link Connecting}: `registry.extension(connecting)`. */
export const connecting = extensionKey<Connecting>('connecting');

/** Says in a registry's own words that content which it holds is damaged or missing. */
interface DamageReport {
  /** @param cause DIGEST_MISMATCH, SIZE_MISMATCH or BLOB_UNKNOWN, from reading the blob. */
  damaged(digest: Digest, cause: OciError): OciError;
}
export const damageReport = extensionKey<DamageReport>('damage-report');

/** Whether foreign layers, which only their owner may distribute, are pushed to this registry all the same. */
interface ForeignLayers {
  readonly accepted: boolean;
}
export const foreignLayers = extensionKey<ForeignLayers>('foreign-layers');

/** Keeps untagged manifests that were requested by digest, so that a garbage collection does not remove them. */
export interface Pins {
  pin(repo: RepositoryName, digest: Digest): Promise<void>;
}
export const pins = extensionKey<Pins>('pins');

/** Tells the sizes of a repository's blobs by their files, without reading them, so that incomplete blobs are noticed. */
export interface BlobSizes {
  /** Size in bytes; undefined for a blob that is not there. */
  sizeOf(repo: RepositoryName, digest: Digest): Promise<number | undefined>;
}
export const blobSizes = extensionKey<BlobSizes>('blob-sizes');

export interface CheckBlobOptions extends SignalOption {
  /** Told the number of bytes of each chunk that was read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Reads stored blobs again, and replaces damaged ones. For a store whose files may have changed since they were stored. */
export interface BlobChecker {
  /**
   * Hashes the file of a blob, and changes nothing.
   *
   * @param repo A repository that should have it; undefined: the blob is looked up by its own digest.
   */
  checkBlob(
    repo: RepositoryName | undefined,
    digest: Digest,
    opts?: CheckBlobOptions,
  ): Promise<'sound' | 'damaged' | 'missing'>;
  /**
   * Makes a repository have a sound copy. A damaged file is replaced when the new one is complete and right, never before.
   *
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH, and errors of the source: the store is then as it was.
   */
  replaceBlob(repo: RepositoryName, descriptor: Descriptor, source: BlobSource, opts?: SignalOption): Promise<void>;
}
export const blobChecker = extensionKey<BlobChecker>('blob-checker');
