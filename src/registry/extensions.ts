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

/** Every digest a tag pointed to. */
export interface TagHistory {
  history(repo: RepositoryName, tag: Tag, opts?: SignalOption): AsyncIterable<Digest>;
}
export const tagHistory = extensionKey<TagHistory>('tag-history');

export interface CollectResult {
  readonly removed: readonly { readonly digest: Digest; readonly size: number }[];
}

/** Removes blobs that no repository's manifest names any more. */
export interface GarbageCollector {
  /**
   * @param opts.graceMs Blobs touched within this time stay. Default: 0 when no other process holds a lease on the
   *   store, an hour otherwise.
   */
  collect(opts?: SignalOption & { readonly graceMs?: number; readonly dryRun?: boolean }): Promise<CollectResult>;
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
