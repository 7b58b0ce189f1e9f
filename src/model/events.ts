import type { Digest } from './digest.ts';
import type { Descriptor } from './manifest/descriptor.ts';
import type { Platform } from './platform/platform.ts';
import type { RepositoryName } from './reference/reference.ts';

/**
 * What a transfer reports while it runs. `node` is the descriptor of a blob or manifest; a node that several images use
 * is reported once.
 */
export type TransferEvent =
  | { readonly type: 'resolved'; readonly root: Descriptor; readonly reference: string }
  /** A node was found: a blob or manifest that belongs to the image. `parent` is the manifest that names it. */
  | { readonly type: 'discovered'; readonly node: Descriptor; readonly kind: NodeKind; readonly parent?: Digest }
  | { readonly type: 'started'; readonly node: Descriptor; readonly resumedBytes: number }
  /** Bytes of the node that have arrived, including resumed ones. At most one event per node every 100 ms. */
  | { readonly type: 'progress'; readonly node: Descriptor; readonly bytes: number }
  /** Nothing moves, and why; `silent`: the request goes on, and nothing has come for a while. */
  | { readonly type: 'waiting'; readonly node: Descriptor; readonly reason: string; readonly silent?: boolean }
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
  | { readonly type: 'tagged'; readonly root: Descriptor; readonly tag: string }
  /** How far the images of the transfer are, sent whenever one of these changes: the latest event counts. */
  | {
      readonly type: 'images';
      /** Images known so far: one, or the tags of a repository that have been listed. */
      readonly found: number;
      /** Those of them that are at the destination with their tags. */
      readonly finished: number;
      readonly failed: number;
      /** No image and no node follows: the sizes of the nodes discovered add up to the total. */
      readonly complete: boolean;
    };

export type NodeKind = 'manifest' | 'config' | 'layer';
export type NodeOutcome = 'exists' | 'mounted' | 'transferred' | 'foreign';

/**
 * Where a blob is on its way: found, moving, stopped for a reason, arrived and being checked by the destination; or how it
 * ended.
 */
export type BlobState = 'waiting' | 'moving' | 'stopped' | 'verifying' | NodeOutcome;

/** How far a transfer is, or several that are shown as one. Every blob counts once. */
export interface ProgressTotals {
  /** Blobs that were found so far, configs included, and how many of them have ended. */
  readonly blobs: number;
  readonly doneBlobs: number;
  /** Those of them that are layers. */
  readonly layers: number;
  readonly doneLayers: number;
  /** Blobs, and layers, that the destination had or that it mounted from another repository. */
  readonly existingBlobs: number;
  readonly existingLayers: number;
  /** Bytes at the destination, however they came there, of the bytes of all blobs. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Bytes that went over, those of repetitions included. */
  readonly transferredBytes: number;
  /** Bytes that were at the destination before, those of cut-off downloads included. */
  readonly existingBytes: number;
  readonly elapsedSeconds: number;
  /** Over the last seconds; at the end over the whole time. */
  readonly bytesPerSecond: number;
  /** null while it cannot be told: nothing moves, or more may be found. */
  readonly secondsLeft: number | null;
}

/**
 * Progress as data: what `onProgress` is called with, and a line each of `--progress json` (docs/progress.md). Fields and
 * types may be added within a version.
 */
export type ProgressEvent =
  /** The first one. */
  | { readonly type: 'start'; readonly version: 1; readonly action: string }
  /** What a reference stands for. */
  | {
      readonly type: 'image';
      readonly reference: string;
      readonly digest: Digest;
      readonly mediaType: string;
      readonly size: number;
    }
  /** A blob was found, its state has changed, or it has come further: then at most every half second. */
  | {
      readonly type: 'blob';
      readonly digest: Digest;
      readonly kind: Exclude<NodeKind, 'manifest'>;
      readonly size: number;
      readonly state: BlobState;
      readonly bytes: number;
      /** Why it is stopped, or that nothing has come for long. */
      readonly reason?: string;
      readonly mountedFrom?: RepositoryName;
    }
  | { readonly type: 'manifest'; readonly digest: Digest; readonly outcome: NodeOutcome }
  | { readonly type: 'tag'; readonly tag: string; readonly digest: Digest }
  /** How many images there are, whenever that changes; `complete`: no other one is found, and the total is the last. */
  | {
      readonly type: 'images';
      readonly found: number;
      readonly finished: number;
      readonly failed: number;
      readonly complete: boolean;
    }
  /** At most every half second. */
  | ({ readonly type: 'total' } & ProgressTotals)
  /** The last one; what failed is the error of the transfer. */
  | ({ readonly type: 'end'; readonly completed: boolean } & ProgressTotals);
