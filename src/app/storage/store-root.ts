import type { Settings } from '../../config/settings.ts';
import type { Driver } from '../../storage/driver.ts';

/** The store of a registry. */
export interface StoreRoot {
  readonly driver: Driver;
  /** What to call it in messages. It contains no secret. */
  readonly name: string;
  /** Where it is, if it is a directory of this machine. */
  readonly directory: string | undefined;
  /** What the keys of a bucket have before the paths of the store. If absent, they are the same. */
  readonly keyPrefix?: string | undefined;
}

export interface RootOptions {
  /** Refuses every change. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Whether a missing directory counts as empty, with `readOnly`: for a look at what would be written. Default false. */
  readonly mayBeMissing?: boolean | undefined;
  /** Whether another process may answer the next request of an upload. Default: as the kind of store says. */
  readonly shared?: boolean | undefined;
  /**
   * Whether it must be a registry's already, because content of other programs could look like leftovers and be
   * deleted. Otherwise a missing directory is created, if its parent exists. Default false.
   */
  readonly existing?: boolean | undefined;
}

/** What stores elsewhere are opened with. */
export interface RootParts {
  readonly settings: () => Promise<Settings>;
  /** Called with problems that do not keep the store from being used. */
  readonly warn: (text: string) => void;
  /** Is given what closes its connections, without which the process does not end at once. */
  readonly onOpen: (close: () => Promise<void>) => void;
}
