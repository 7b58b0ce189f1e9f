import type { Driver } from './driver.ts';
import type { Marks } from './marks/marks.ts';

/** What every part of a storage registry works with. */
export interface Store {
  readonly driver: Driver;
  readonly marks: Marks;
  readonly name: string;
  readonly sparseIndexes: boolean;
  readonly maxManifestBytes: number;
  readonly now: () => Date;
}
