import type { Digest } from '../../model/digest.ts';
import { isOciError, type OciError } from '../../model/errors.ts';
import { blobDescriptor } from '../../registry/content.ts';
import { atOnce } from '../at-once.ts';
import { walkBlobs } from '../blobs/blobs.ts';
import { createBlobChecker } from '../blobs/checker.ts';
import { SizedDigests } from '../digests/sized-digests.ts';
import type { Collection } from '../marks/collection.ts';
import { blobPath } from '../paths.ts';
import type { Store } from '../store.ts';
import type { CheckOptions, StoreCheck, StoreFault } from './faults.ts';

/** Blobs that are hashed at the same time. */
const hashedAtOnce = 4;

/** Fixes a fault. Undefined: nothing can be done about it. */
type Repair = (() => Promise<StoreFault['repaired']>) | undefined;

type FoundFault = Omit<StoreFault, 'repaired' | 'error'> & Partial<Pick<StoreFault, 'error'>>;

/** What the checks of all repositories share. */
export class Inspection {
  readonly store: Store;
  readonly blobs = new SizedDigests();
  /** Blobs with other bytes, and whether a manifest was told to name them. */
  readonly damaged = new Map<Digest, boolean>();
  readonly result: StoreCheck = {
    repositories: 0,
    tags: 0,
    manifests: 0,
    blobs: { count: 0, bytes: 0 },
    faults: 0,
    repaired: 0,
  };
  readonly opts: CheckOptions;
  readonly #collection: Collection | undefined;

  constructor(store: Store, opts: CheckOptions, collection: Collection | undefined) {
    this.store = store;
    this.opts = opts;
    this.#collection = collection;
  }

  /** The size of a blob, also of one that was stored meanwhile; undefined if it is not there. */
  async sizeOf(digest: Digest): Promise<number | undefined> {
    const known = this.blobs.sizeOf(digest);
    return known ?? (await this.store.driver.stat(blobPath(digest)))?.size;
  }

  /** Runs a removal unless a writer relies on the digest. */
  async remove(digest: Digest, work: () => Promise<boolean>): Promise<StoreFault['repaired']> {
    let removed = false;
    await this.#collection?.takeAway([{ digest }], async () => {
      removed = await work();
    });
    return removed ? 'removed' : undefined;
  }

  async report(fault: FoundFault, repair: Repair): Promise<void> {
    let repaired: StoreFault['repaired'];
    let failure = fault.error;
    try {
      if (this.opts.repair === true) repaired = await repair?.();
    } catch (error) {
      if (!isOciError(error) || error.code === 'CANCELLED') throw error;
      failure = error;
    }
    if (repaired === undefined) this.result.faults += 1;
    else this.result.repaired += 1;
    await this.opts.onFault?.({ ...fault, repaired, error: failure });
  }

  async reportUnreadable(kind: 'repository' | 'directory', name: string, error: OciError): Promise<void> {
    await this.report({ kind, state: 'damaged', digest: undefined, size: undefined, names: [name], error }, undefined);
  }

  async readBlobs(): Promise<void> {
    const { bytes, signal, onBlob } = this.opts;
    const checker = createBlobChecker(this.store);
    const onHidden = (path: string, error: OciError) => this.reportUnreadable('directory', path, error);
    await atOnce(
      walkBlobs(this.store, { signal, onHidden }),
      bytes === true ? hashedAtOnce : 1,
      async ({ digest, size }) => {
        this.blobs.set(digest, size);
        this.result.blobs.count += 1;
        this.result.blobs.bytes += size;
        if (bytes !== true) return;
        onBlob?.(blobDescriptor(digest, size), 'begins');
        if ((await checker.checkBlob(undefined, digest, { signal })) === 'damaged') this.damaged.set(digest, false);
        onBlob?.(blobDescriptor(digest, size), 'ended');
      },
    );
  }
}
