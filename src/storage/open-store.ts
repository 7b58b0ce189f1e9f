import { CheckedBlobs } from './collect/checked-blobs.ts';
import type { BlobUrlSigner, Driver } from './driver.ts';
import { KnownManifests } from './manifests/known-manifests.ts';
import { ListedTags } from './manifests/listed-tags.ts';
import { Marks } from './marks/marks.ts';
import type { Store } from './store.ts';
import { RecentSessions } from './uploads/recent-sessions.ts';

export interface StorageOptions {
  /** Keeps the bytes. */
  readonly driver: Driver;
  /** Name of the registry. Default `local`. */
  readonly name?: string;
  /** Whether `pushManifest` honours `sparse: true`. Default false. */
  readonly sparseIndexes?: boolean;
  /** Whether a manifest is accepted even if its blobs or children are missing. Default false. */
  readonly sparse?: boolean | undefined;
  /** Default 4 MiB, the minimum that the distribution spec asks for. */
  readonly maxManifestBytes?: number;
  /**
   * Minimum time that collections keep what was uploaded, mounted or reported to exist, while this process lives: a
   * manifest that needs it may follow. In milliseconds. Default 0: during the call, or as long as a lease is held.
   */
  readonly keepUnusedMs?: number;
  /** Makes the URLs where clients can download blobs. Default: the driver, if it can. */
  readonly blobUrls?: BlobUrlSigner | undefined;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
}

/** What all parts of a registry share, without the registry: for what works on the whole of it. */
export function openStore(options: StorageOptions): Store {
  const { driver, now = () => new Date() } = options;
  return {
    driver,
    marks: new Marks(driver, options.keepUnusedMs ?? 0),
    name: options.name ?? 'local',
    sparseIndexes: options.sparseIndexes ?? false,
    sparse: options.sparse ?? false,
    checked: new CheckedBlobs(),
    sessions: new RecentSessions(),
    known: driver.isRemote ? new KnownManifests(now) : undefined,
    listed: new ListedTags(driver),
    maxManifestBytes: options.maxManifestBytes ?? 4 * 1024 * 1024,
    now,
  };
}
