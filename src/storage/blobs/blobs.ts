import { type Digest, isDigestAlgorithm, tryParseDigest } from '../../model/digest.ts';
import { isOciError, type OciError } from '../../model/errors.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Driver, Entry, ObjectFacts, StorePath } from '../driver.ts';
import { refuseHiding } from '../hidden.ts';
import { entriesIn } from '../listing.ts';
import { asidePath, blobPath, blobsPath, childPath } from '../paths.ts';
import type { Store } from '../store.ts';

interface BlobEntry extends ObjectFacts {
  readonly digest: Digest;
}

interface WalkOptions extends SignalOption {
  /** Blobs to skip without a stat. */
  readonly except?: Pick<ReadonlySet<Digest>, 'has'>;
  /** Restores blobs that a killed collector of an earlier version had moved aside. */
  readonly repair?: boolean;
  /** Called with what hides blobs: a symbolic link or a file in place of a directory. If absent, it is an error. */
  readonly onHidden?: ((path: StorePath, error: OciError) => Promise<void> | void) | undefined;
}

/** Every blob in the store, whether a repository links to it or not. */
export async function* walkBlobs({ driver }: Store, opts: WalkOptions = {}): AsyncGenerator<BlobEntry> {
  let last: Digest | undefined;
  for await (const { name, facts } of filesOfBlobs(driver)) {
    opts.signal?.throwIfAborted();
    const [algorithm, shard = '', hex = '', leaf, more] = name.split('/');
    const digest = tryParseDigest(`${algorithm}:${hex}`);
    if (leaf === undefined && (digest !== undefined || (hex === '' && /^(?:[0-9a-f]{2})?$/.test(shard)))) {
      await tellHiding(driver, { name, kind: 'object' }, opts);
      continue;
    }
    if (digest === undefined || hex.slice(0, 2) !== shard || more !== undefined) continue;
    const path = blobPath(digest);
    if (leaf === 'data.collected' && opts.repair === true) {
      if (last !== digest) await driver.copy(asidePath(path), path);
      await driver.delete(asidePath(path));
    } else if (leaf !== 'data') continue;
    if (last === digest || opts.except?.has(digest)) {
      last = digest;
      continue;
    }
    last = digest;
    const known = facts ?? (await driver.stat(path));
    if (known !== undefined) yield { digest, ...known };
  }
}

async function tellHiding(driver: Driver, entry: Entry, { onHidden }: WalkOptions): Promise<void> {
  try {
    await refuseHiding(driver, blobsPath, entry);
  } catch (error) {
    if (onHidden === undefined || !isOciError(error, 'STORAGE_DAMAGED')) throw error;
    await onHidden(childPath(blobsPath, entry), error);
  }
}

// Only below the directories of known algorithms: others may not even be readable.
async function* filesOfBlobs(driver: Store['driver']): AsyncGenerator<Entry> {
  for await (const { name, kind } of entriesIn(driver, blobsPath)) {
    if (!isDigestAlgorithm(name)) continue;
    if (kind === 'object') yield { name, kind };
    if (kind === 'object') continue;
    for await (const entry of entriesIn(driver, childPath(blobsPath, { name }), { deep: true })) {
      yield { ...entry, name: `${name}/${entry.name}` };
    }
  }
}
