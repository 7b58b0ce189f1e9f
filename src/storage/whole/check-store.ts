import type { OciError } from '../../model/errors.ts';
import { createBlobChecker } from '../blobs/checker.ts';
import { isUnreadable, walkRepositories } from '../manifests/repositories.ts';
import { Collection } from '../marks/collection.ts';
import { blobPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { RepositoryCheck } from './check-repository.ts';
import type { CheckOptions, StoreCheck } from './faults.ts';
import { Inspection } from './inspection.ts';

/**
 * Checks a store: that every tag, manifest and link leads to what it names, and with `bytes` all bytes. Nothing is
 * changed without `repair`. Whatever changes meanwhile is looked at again before it is reported.
 *
 * @throws OciError STORAGE and others if something cannot be read, other than damage and parts of repositories.
 */
export async function checkStore(store: Store, opts: CheckOptions = {}): Promise<StoreCheck> {
  const collection = opts.repair === true ? await Collection.begin(store.driver) : undefined;
  try {
    const inspection = new Inspection(store, opts, collection);
    await inspection.readBlobs();
    const unreadable = new Set<string>();
    const onUnreadable = async (name: string, error: OciError): Promise<void> => {
      if (unreadable.has(name)) return;
      unreadable.add(name);
      await inspection.reportUnreadable('repository', name, error);
    };
    for await (const repo of walkRepositories(store.driver, { onUnreadable })) {
      opts.signal?.throwIfAborted();
      inspection.result.repositories += 1;
      try {
        await new RepositoryCheck(inspection, repo).run();
      } catch (error) {
        // Links in a file lead nowhere, but a symbolic link or a file in place of a directory hides all that is below it.
        if (!isUnreadable(error)) throw error;
        await onUnreadable(repo, error);
      }
    }
    const checker = createBlobChecker(store);
    for (const [digest, named] of inspection.damaged) {
      // What was fetched or pushed meanwhile is sound.
      if (named || (await checker.checkBlob(undefined, digest, { signal: opts.signal })) !== 'damaged') continue;
      const size = inspection.blobs.sizeOf(digest);
      const removal = () => inspection.remove(digest, () => store.driver.delete(blobPath(digest)));
      await inspection.report({ kind: 'blob', state: 'damaged', digest, size, names: [] }, removal);
    }
    return inspection.result;
  } finally {
    await collection?.end();
  }
}
