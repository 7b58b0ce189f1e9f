import type { Digest } from './digest.ts';
import type { Descriptor } from './manifest/descriptor.ts';
import type { Platform } from './platform/platform.ts';
import type { RepositoryName } from './reference/reference.ts';

/**
 * What a transfer reports while it runs. `node` is the descriptor of a blob or manifest; a node that several images use
 * is reported once.
 */
export type TransferEvent =
  /** What the source's reference stands for. */
  | { readonly type: 'resolved'; readonly root: Descriptor; readonly reference: string }
  /** A node was found: a blob or manifest that belongs to the image. `parent` is the manifest that names it. */
  | { readonly type: 'discovered'; readonly node: Descriptor; readonly kind: NodeKind; readonly parent?: Digest }
  /** Its bytes begin to move; so many were there from an interrupted download. */
  | { readonly type: 'started'; readonly node: Descriptor; readonly resumedBytes: number }
  /** Bytes of the node that have arrived, including resumed ones. At most one event per node every 100 ms. */
  | { readonly type: 'progress'; readonly node: Descriptor; readonly bytes: number }
  /** Why a node makes no progress. */
  | ({ readonly type: 'waiting'; readonly node: Descriptor } & Waiting)
  /** A node is at the destination. */
  | {
      readonly type: 'done';
      readonly node: Descriptor;
      readonly kind: NodeKind;
      readonly outcome: NodeOutcome;
      /** The repository it was mounted from. */
      readonly mountedFrom?: RepositoryName;
    }
  /** An entry of an index that is left out because its platform was not requested. */
  | { readonly type: 'skipped'; readonly node: Descriptor; readonly platform?: Platform }
  /** A tag was set at the destination. */
  | { readonly type: 'tagged'; readonly root: Descriptor; readonly tag: string }
  /** How far the images of the transfer are, sent whenever one of these changes: the latest event counts. */
  | {
      readonly type: 'images';
      /** Images known so far: one, or the tags of a repository that have been listed. */
      readonly found: number;
      /** Those of them that are at the destination with their tags. */
      readonly finished: number;
      /** Those of them that failed. */
      readonly failed: number;
      /** No image and no node follows: the sizes of the nodes discovered add up to the total. */
      readonly complete: boolean;
    };

/** What is known of a wait. */
export interface WaitFacts {
  /** The same request is still running, but nothing has arrived for a while. */
  readonly silent?: boolean;
  /** When it is tried again, if the registry asked for that wait. */
  readonly seconds?: number;
}

/** A wait for a registry, or for another process that downloads the same. */
export interface Waiting extends WaitFacts {
  /** `registry.example.com asks to wait 30 seconds (429)` */
  readonly reason: string;
}

export type NodeKind = 'manifest' | 'config' | 'layer';
export type NodeOutcome = 'exists' | 'mounted' | 'transferred' | 'foreign';

/**
 * The state of a blob: found, moving, stopped for a reason, or arrived and being verified by the destination; after that,
 * its outcome.
 */
export type BlobState = 'waiting' | 'moving' | 'stopped' | 'verifying' | NodeOutcome;

/** The progress of a transfer, or of several that are shown as one. Every blob counts once. */
export interface ProgressTotals {
  /** Blobs found so far, including configs. */
  readonly blobs: number;
  /** How many of them have ended. */
  readonly doneBlobs: number;
  /** How many of these are layers. */
  readonly layers: number;
  /** How many of the layers have ended. */
  readonly doneLayers: number;
  /** Blobs that the destination already had or has mounted from another repository. */
  readonly existingBlobs: number;
  /** How many of these are layers. */
  readonly existingLayers: number;
  /** Bytes of these blobs that are at the destination, by whatever way. */
  readonly bytes: number;
  /** The bytes of all blobs found so far. */
  readonly totalBytes: number;
  /** Bytes that were transferred, including repetitions. */
  readonly transferredBytes: number;
  /** Bytes that the destination already had, including those of interrupted downloads. */
  readonly existingBytes: number;
  /** Since the first event. */
  readonly elapsedSeconds: number;
  /** The rate over the last seconds; at the end, over the whole time. */
  readonly bytesPerSecond: number;
  /** null while it is unknown: nothing moves, or more blobs may be found. */
  readonly secondsLeft: number | null;
}

/**
 * Progress as data: the argument of `onProgress`, and the lines of `--progress json` (docs/progress.md). Fields and types
 * may be added within a version.
 */
export type ProgressEvent =
  /** The first event. */
  | { readonly type: 'start'; readonly version: 1; readonly action: string }
  /** The image or index that a reference resolves to. */
  | {
      readonly type: 'image';
      readonly reference: string;
      readonly digest: Digest;
      readonly mediaType: string;
      readonly size: number;
    }
  /** A blob was found, has changed its state, or has made progress; progress is reported at most every half second. */
  | {
      readonly type: 'blob';
      readonly digest: Digest;
      readonly kind: Exclude<NodeKind, 'manifest'>;
      readonly size: number;
      readonly state: BlobState;
      readonly bytes: number;
      /** Why it is stopped, or that nothing has arrived for long. */
      readonly reason?: string;
      readonly mountedFrom?: RepositoryName;
    }
  /** Something has to wait: a blob, or a request for names, manifests, tags or tokens, which has no digest. */
  | ({ readonly type: 'waiting'; readonly digest?: Digest } & Waiting)
  /** A manifest is at the destination. */
  | { readonly type: 'manifest'; readonly digest: Digest; readonly outcome: NodeOutcome }
  /** A tag was set. */
  | { readonly type: 'tag'; readonly tag: string; readonly digest: Digest }
  /** The number of images, whenever it changes. `complete`: no more images follow, and the total is final. */
  | {
      readonly type: 'images';
      readonly found: number;
      readonly finished: number;
      readonly failed: number;
      readonly complete: boolean;
    }
  /** Sent at most every half second. */
  | ({ readonly type: 'total' } & ProgressTotals)
  /** The last event. A failure is reported by the transfer's error. */
  | ({ readonly type: 'end'; readonly completed: boolean } & ProgressTotals);
