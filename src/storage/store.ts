import type { CheckedBlobs } from './collect/checked-blobs.ts';
import type { Driver } from './driver.ts';
import type { KnownManifests } from './manifests/known-manifests.ts';
import type { ListedTags } from './manifests/listed-tags.ts';
import type { Marks } from './marks/marks.ts';
import type { RecentSessions } from './uploads/recent-sessions.ts';

/** What all parts of a storage registry share. */
export interface Store {
  readonly driver: Driver;
  readonly marks: Marks;
  readonly name: string;
  readonly sparseIndexes: boolean;
  /** Whether a manifest is accepted even if its blobs or children are missing. */
  readonly sparse: boolean;
  readonly checked: CheckedBlobs;
  readonly sessions: RecentSessions;
  /** Only where each read is a request: a file is read as fast as it is found. */
  readonly known: KnownManifests | undefined;
  readonly listed: ListedTags;
  readonly maxManifestBytes: number;
  readonly now: () => Date;
}
