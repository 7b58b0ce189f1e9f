import type { CheckedBlobs } from './collect/checked-blobs.ts';
import type { Driver } from './driver.ts';
import type { Marks } from './marks/marks.ts';
import type { RecentSessions } from './uploads/recent-sessions.ts';

/** What every part of a storage registry works with. */
export interface Store {
  readonly driver: Driver;
  readonly marks: Marks;
  readonly name: string;
  readonly sparseIndexes: boolean;
  /** Whether a manifest is taken whose blobs or children are not here. */
  readonly sparse: boolean;
  readonly checked: CheckedBlobs;
  readonly sessions: RecentSessions;
  readonly maxManifestBytes: number;
  readonly now: () => Date;
}
