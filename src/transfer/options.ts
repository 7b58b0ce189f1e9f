/** What a transfer is asked to do. */
import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest, RawManifest } from '../model/manifest/manifest.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { BlobSource } from '../registry/content.ts';
import type { Registry } from '../registry/registry.ts';

/** One end of a transfer. */
export interface TransferEnd {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** Whether indexes may be here without all their children, as in the local store. */
  readonly sparse?: boolean;
}

/** One image or index to copy, with all it refers to: where it is, and where it shall be. */
export interface TransferRoot {
  readonly from: TransferEnd & {
    readonly reference: Tag | Digest;
    /** What the reference stands for, where the caller has asked already. */
    readonly root?: Descriptor | undefined;
    /** That itself, beside `root`, where the caller has read it. */
    readonly manifest?: Manifest | undefined;
  };
  readonly to: TransferEnd & {
    readonly tags: readonly Tag[];
    /** What all of the tags point at now, where the caller has asked already: undefined for nothing. */
    readonly seen?: { readonly digest: Digest | undefined } | undefined;
  };
  /** Which entries of an index are wanted; all of them where absent. A platform that matches nothing is an error. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Whether an image that is no index must be for one of `platforms` too. Default false, as in Docker. */
  readonly requirePlatform?: boolean | undefined;
  /** Whether entries that the source lacks are an error even where the destination is sparse. */
  readonly whole?: boolean | undefined;
  /** A repository of the destination's registry that may hold the blobs, or for each blob. */
  readonly mountFrom?: RepositoryName | ((digest: Digest) => Promise<RepositoryName | undefined>) | undefined;
  /** Layers that may not be redistributed: `skip` leaves them where their URLs point. Default `copy`. */
  readonly foreignLayers?: 'copy' | 'skip' | undefined;
  /**
   * Whether what speaks about the image goes along (signatures, lists of parts): the referrers of every manifest that is
   * transferred, theirs too, each after its subject. All of them, or those of some types. What the source lists and does
   * not have is skipped. Default false.
   */
  readonly referrers?: boolean | { readonly artifactTypes: readonly string[] } | undefined;
}

/** How the images of one batch are moved. */
export interface BatchOptions {
  /** Blobs that move at once; default 3. */
  readonly parallelBlobs?: number | undefined;
  /** Changes what is transferred; nothing of it is then taken for there already by its digest at the source. */
  readonly transform?: Transform | undefined;
  /** What the manifests of one image may be; each has a default. More is refused with TOO_LARGE. */
  readonly limits?: GraphLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransferOptions extends TransferRoot, BatchOptions {}

export interface TransferResult {
  /** As the destination has it. */
  readonly root: Descriptor;
  /** Manifests that a transform changed: what they are at the destination, by their digest at the source. */
  readonly rewritten: ReadonlyMap<Digest, Descriptor>;
  /** False when the destination had it all, tags included. */
  readonly changed: boolean;
  /**
   * Bytes of blobs that went over; what was there or was resumed does not count, and what two images of a batch share
   * counts for one of them.
   */
  readonly transferredBytes: number;
  /** What was asked for with `referrers` and is at the destination now; their subjects come first. */
  readonly referrers: readonly Descriptor[];
  /** Entries of indexes that were left out, because another platform was asked for. */
  readonly omitted: readonly Descriptor[];
}

/** Bounds on what is held of a graph between its discovery and its push. */
export interface GraphLimits {
  /** Manifests and blobs, each counted once. Default 100,000. */
  readonly nodes?: number | undefined;
  /** Bytes of all manifests, which are held until they are pushed. Default 64 MiB. */
  readonly manifestBytes?: number | undefined;
}

/**
 * Changes nodes on their way: layers that are compressed anew, another format of manifests. Manifests that name a changed
 * blob or manifest, as a subject too, are rewritten and get new digests; tags point at the new root. Manifests of types
 * that are not those of OCI and Docker keep what they name, and schema 1 is refused (UNSUPPORTED).
 */
export interface Transform {
  /**
   * Asked once for each blob of a batch's images and artifacts, the layers before the config; undefined: it stays as it is.
   * `source` gives verified content. Not asked for layers that are skipped as foreign.
   */
  blob?(blob: SourceBlob): Promise<ChangedBlob | undefined>;
  /**
   * Asked once for each manifest of an image, children before parents, after what it names was changed in it; undefined: no more
   * than that. The result must name the blobs and manifests that it names.
   */
  manifest?(manifest: Manifest): Promise<RawManifest | undefined>;
}

/** A blob as the transfer's source has it. */
export interface SourceBlob {
  readonly descriptor: Descriptor;
  readonly kind: 'config' | 'layer';
  readonly source: BlobSource;
}

/** What stands for a blob at the destination. */
export interface ChangedBlob {
  /** Type, digest and size; annotations replace those of the entry where there are some. */
  readonly descriptor: Descriptor;
  /** Opened when the destination lacks it, and again at an offset where a part of it had arrived. */
  readonly source: BlobSource;
}
