import { type Digest, isDigestAlgorithm, tryParseDigest } from '../../model/digest.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Entry, ObjectFacts } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { asidePath, blobPath, blobsPath, childPath } from '../paths.ts';
import type { Store } from '../store.ts';

interface BlobEntry extends ObjectFacts {
  readonly digest: Digest;
}

/**
 * Every blob in the store, whether a repository links to it or not.
 *
 * @param opts.except Blobs to skip without a stat.
 * @param opts.repair Restores blobs that a killed collector of an earlier version had moved aside.
 */
export async function* walkBlobs(
  { driver }: Store,
  opts?: SignalOption & { readonly except?: Pick<ReadonlySet<Digest>, 'has'>; readonly repair?: boolean },
): AsyncGenerator<BlobEntry> {
  let last: Digest | undefined;
  for await (const { name, facts } of filesOfBlobs(driver)) {
    opts?.signal?.throwIfAborted();
    const [algorithm, shard = '', hex = '', leaf, more] = name.split('/');
    const digest = tryParseDigest(`${algorithm}:${hex}`);
    if (digest === undefined || hex.slice(0, 2) !== shard || more !== undefined) continue;
    const path = blobPath(digest);
    if (leaf === 'data.collected' && opts?.repair === true) {
      if (last !== digest) await driver.copy(asidePath(path), path);
      await driver.delete(asidePath(path));
    } else if (leaf !== 'data') continue;
    if (last === digest || opts?.except?.has(digest)) {
      last = digest;
      continue;
    }
    last = digest;
    const known = facts ?? (await driver.stat(path));
    if (known !== undefined) yield { digest, ...known };
  }
}

// Only below the directories of known algorithms: others may not even be readable.
async function* filesOfBlobs(driver: Store['driver']): AsyncGenerator<Entry> {
  for await (const { name, kind } of entriesIn(driver, blobsPath)) {
    if (kind !== 'prefix' || !isDigestAlgorithm(name)) continue;
    for await (const entry of entriesIn(driver, childPath(blobsPath, { name }), { deep: true })) {
      yield { ...entry, name: `${name}/${entry.name}` };
    }
  }
}
