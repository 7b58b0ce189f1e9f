/** The options of a transfer. */
import type { Digest } from '../model/digest.ts';
import type { NodeOutcome, ProgressEvent } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest, RawManifest } from '../model/manifest/manifest.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { BlobSource } from '../registry/content.ts';
import type { Registry } from '../registry/registry.ts';

/** One end of a transfer. */
export interface TransferEnd {
  /** Where it is. */
  readonly registry: Registry;
  /** The repository in it. */
  readonly repo: RepositoryName;
  /** Whether indexes may be stored here without all their children, as in the local store. */
  readonly sparse?: boolean;
}

/** What became of one config or layer. */
export interface TransferredBlob {
  /** As the source names it. */
  readonly descriptor: Descriptor;
  /** What it is in its image. */
  readonly kind: 'config' | 'layer';
  /** A blob that several images of a batch share was transferred or mounted for one of them, and exists for the others. */
  readonly outcome: NodeOutcome;
  /** The repository it was mounted from. */
  readonly mountedFrom?: RepositoryName | undefined;
}

/** One image or index to copy with everything it refers to: its source and its destination. */
export interface TransferRoot {
  /** The source. */
  readonly from: TransferEnd & {
    /** What is copied: a tag, or a digest. */
    readonly reference: Tag | Digest;
    /** The descriptor that the reference resolves to, if the caller already knows it. */
    readonly root?: Descriptor | undefined;
    /**
     * If the caller chose the root from something else, as an image of an index: what was asked for, and the digest that it
     * stood for. A policy of the source judges that too. Default: `reference`.
     */
    readonly asked?: { readonly reference: Tag | Digest; readonly digest: Digest } | undefined;
    /** Manifests that the caller has already read or made: they are not read from the source. */
    readonly manifests?: readonly Manifest[] | undefined;
  };
  /** The destination. */
  readonly to: TransferEnd & {
    /** Point at the copy at the end; empty: it is found by its digest alone. */
    readonly tags: readonly Tag[];
    /** What all tags point at now, if the caller already knows it; its digest is undefined if the tags do not exist. */
    readonly seen?: { readonly digest: Digest | undefined } | undefined;
    /**
     * The registry's host, if a batch reaches one registry through several `Registry` objects. A blob that moves to one of
     * its repositories is then mounted into the others.
     */
    readonly host?: string | undefined;
  };
  /** Which entries of an index are wanted; if absent, all of them. A platform that matches nothing is an error. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Whether an image that is not an index must be for one of `platforms` too. Default false, as in Docker. */
  readonly requirePlatform?: boolean | undefined;
  /** Whether entries that the source lacks are an error even if the destination is sparse. */
  readonly whole?: boolean | undefined;
  /** A repository of the destination's registry that may hold the blobs; or a function that finds one for each blob. */
  readonly mountFrom?: RepositoryName | ((digest: Digest) => Promise<RepositoryName | undefined>) | undefined;
  /**
   * For layers that may not be redistributed: `skip` does not transfer them, so they are read from their URLs. Default
   * `copy`.
   */
  readonly foreignLayers?: 'copy' | 'skip' | undefined;
  /**
   * Whether referrers of the image are transferred too (signatures, lists of parts): those of every manifest that is
   * transferred, and their own referrers, each after its subject. Either all, or those of some artifact types.
   * Referrers that the source lists but does not have are skipped, and so is what does not name its subject. Default
   * false.
   */
  readonly referrers?: boolean | { readonly artifactTypes: readonly string[] } | undefined;
  /**
   * Whether what cosign keeps under the tags `sha256-<hex>.sig`, `.att` and `.sbom` is transferred too, with these tags:
   * for every manifest that is transferred. With `ifAbsent`, a tag that points at something else at the destination is an
   * error, REFUSED, before anything moves. Not together with `transform`. Default false.
   */
  readonly digestTags?: boolean | { readonly ifAbsent: boolean } | undefined;
}

/** Options for all images of one batch. */
export interface BatchOptions {
  /**
   * How many blobs are looked up or transferred at once. By default 16 are looked up, 12 small ones move, and of those
   * above 1 MiB 4, up to 8 as long as that is faster, and fewer after failures.
   */
  readonly parallelBlobs?: number | undefined;
  /** Changes what is transferred. Nothing is then assumed to be at the destination because of its digest at the source. */
  readonly transform?: Transform | undefined;
  /** Limits for the manifests of one image; each has a default. Beyond them, its transfer fails with TOO_LARGE. */
  readonly limits?: GraphLimits | undefined;
  /** Told how far the transfer is, while it runs. What it throws stops the transfer, which fails with that. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Stops all transfers, which then reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface TransferOptions extends TransferRoot, BatchOptions {}

export interface TransferResult {
  /** The root's descriptor at the destination. */
  readonly root: Descriptor;
  /** Manifests that a transform changed: their descriptors at the destination, by their digest at the source. */
  readonly rewritten: ReadonlyMap<Digest, Descriptor>;
  /** The tags that did not point at the root before. */
  readonly tagged: ReadonlySet<Tag>;
  /** False if the destination had everything, tags included. */
  readonly changed: boolean;
  /**
   * Bytes of blobs that were transferred. Blobs that were present and resumed parts do not count; a blob that several
   * images of a batch share counts for one of them.
   */
  readonly transferredBytes: number;
  /**
   * The configs and layers that were looked up or moved for this image, in the order of its manifests; none if the
   * destination was known to have the image.
   */
  readonly blobs: readonly TransferredBlob[];
  /** The referrers that `referrers` selected, all now at the destination; subjects come first. */
  readonly referrers: readonly Descriptor[];
  /** The tags that `digestTags` found, all now at the destination. */
  readonly digestTags: readonly Tag[];
  /** Entries of indexes that were left out, because another platform was requested. */
  readonly omitted: readonly Descriptor[];
}

/** Limits on what is held of a graph between its discovery and its push. */
export interface GraphLimits {
  /** Manifests and blobs, each counted once. Default 100,000. */
  readonly nodes?: number | undefined;
  /** Bytes of all manifests, which are held until they are pushed. Default 64 MiB. */
  readonly manifestBytes?: number | undefined;
}

/**
 * Changes nodes during the transfer, such as layers that are compressed again or manifests in another format. Manifests
 * that name a changed blob or manifest, also as their subject, are rewritten and get new digests; tags point at the new
 * root. Manifests that are neither OCI nor Docker types keep what they name, and schema 1 is refused (UNSUPPORTED).
 */
export interface Transform {
  /**
   * Called first for each image, with all its manifests as the source has them, children before parents: what it throws
   * stops the transfer before a blob is read or anything is written.
   */
  examine?(manifests: readonly Manifest[]): Promise<void>;
  /**
   * Called once for each blob of a batch's images and artifacts, layers before the config; undefined: the blob stays as
   * it is. `source` gives verified content. Not called for layers that are skipped as foreign.
   */
  blob?(blob: SourceBlob): Promise<ChangedBlob | undefined>;
  /**
   * Called once for each manifest of an image, children before parents, after its descriptors were updated; undefined:
   * no further change. The result must name the blobs and manifests that the given manifest names.
   */
  manifest?(manifest: Manifest): Promise<RawManifest | undefined>;
}

/** A blob at the transfer's source. */
export interface SourceBlob {
  /** As the source names it. */
  readonly descriptor: Descriptor;
  /** What it is in its image. */
  readonly kind: 'config' | 'layer';
  /** Its bytes. */
  readonly source: BlobSource;
}

/** What replaces a blob at the destination. */
export interface ChangedBlob {
  /** Type, digest and size. If it has annotations, they replace those of the entry; an empty object removes them. */
  readonly descriptor: Descriptor;
  /** Opened when the destination lacks the blob, and again with an offset if a part of it had arrived. */
  readonly source: BlobSource;
}
