/** What a transfer is asked to do. */
import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';
import type { Slots } from './slots.ts';

/** One end of a transfer. */
export interface TransferEnd {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** Whether indexes may be here without all their children, as in the local store. */
  readonly sparse?: boolean;
}

export interface TransferOptions {
  readonly from: TransferEnd & {
    readonly reference: Tag | Digest;
    /** What the reference stands for, where the caller has asked already. */
    readonly root?: Descriptor | undefined;
    /** That itself, beside `root`, where the caller has read it. */
    readonly manifest?: Manifest | undefined;
  };
  readonly to: TransferEnd & { readonly tags: readonly Tag[] };
  /** Which entries of an index are wanted; all of them where absent. A platform that matches nothing is an error. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Whether an image that is no index must be for one of `platforms` too. Default false, as in Docker. */
  readonly requirePlatform?: boolean | undefined;
  /** Whether entries that the source lacks are an error even where the destination is sparse. */
  readonly whole?: boolean | undefined;
  /** Blobs that move at once; default 3. */
  readonly parallelBlobs?: number | undefined;
  /** What several transfers share, where all of them together are to move no more blobs at once. */
  readonly blobSlots?: Slots | undefined;
  /** A repository of the destination's registry that may hold the blobs, or for each blob. */
  readonly mountFrom?: RepositoryName | ((digest: Digest) => Promise<RepositoryName | undefined>) | undefined;
  /** Layers that may not be redistributed: `skip` leaves them where their URLs point. Default `copy`. */
  readonly foreignLayers?: 'copy' | 'skip' | undefined;
  readonly signal?: AbortSignal | undefined;
}
