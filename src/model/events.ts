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
  | { readonly type: 'waiting'; readonly node: Descriptor; readonly reason: string }
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
