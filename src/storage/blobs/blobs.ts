import { type Digest, tryParseDigest } from '../../model/digest.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { restoreAside } from '../collect/sweep.ts';
import { blobPath, blobsPath, childPath } from '../paths.ts';
import type { Store } from '../store.ts';

export interface BlobEntry {
  readonly digest: Digest;
  readonly size: number;
  readonly modifiedAt: Date;
}

/**
 * Every blob in the store, of any repository and of none.
 *
 * @param opts.repair Puts back what a collector that was killed had moved aside.
 */
export async function* walkBlobs(
  store: Store,
  opts?: SignalOption & { readonly repair?: boolean },
): AsyncGenerator<BlobEntry> {
  const { driver } = store;
  for (const algorithm of await driver.list(blobsPath)) {
    const algorithmPath = childPath(blobsPath, algorithm);
    for (const shard of await driver.list(algorithmPath)) {
      for (const { name } of await driver.list(childPath(algorithmPath, shard))) {
        opts?.signal?.throwIfAborted();
        const digest = tryParseDigest(`${algorithm.name}:${name}`);
        if (digest === undefined || !name.startsWith(shard.name)) continue;
        const path = blobPath(digest);
        let facts = await driver.stat(path);
        if (facts === undefined && opts?.repair === true) {
          await restoreAside(store, path);
          facts = await driver.stat(path);
        }
        if (facts !== undefined) yield { digest, ...facts };
      }
    }
  }
}
