import { type Digest, digestAlgorithm } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { BlobChecker, CheckBlobOptions } from '../../registry/extensions.ts';
import type { Store } from '../store.ts';
import { hashReader } from './hash-reader.ts';
import { findBlob, findLinkedBlob, linkBlob } from './links.ts';
import { download, downloadSmall, lockDownload, smallBytes } from './partial.ts';

/** Reads the blobs of a store again, and replaces damaged ones. */
export function createBlobChecker(store: Store): BlobChecker {
  return {
    checkBlob: (repo, digest, opts) => checkBlob(store, repo, digest, opts),

    async replaceBlob(repo, descriptor, source, opts) {
      const { digest, size } = descriptor;
      opts?.signal?.throwIfAborted();
      await store.marks.during(async () => {
        await store.marks.hold([digest]);
        if (size <= smallBytes) {
          return void (await linkBlob(store, repo, digest, await downloadSmall(store, descriptor, source, opts)));
        }
        // A download of the same blob by another process goes first, and may be all that is needed.
        const lock = await lockDownload(store, descriptor, async () => false, opts);
        try {
          const stored = await findBlob(store, digest);
          const sound = stored?.size === size && (await checkBlob(store, undefined, digest, opts)) === 'sound';
          const blob = sound ? stored : await download(store, descriptor, source, { ...opts, replace: true });
          await linkBlob(store, repo, digest, blob);
        } finally {
          await lock?.release();
        }
      });
    },
  };
}

async function checkBlob(
  store: Store,
  repo: RepositoryName | undefined,
  digest: Digest,
  opts?: CheckBlobOptions,
): Promise<'sound' | 'damaged' | 'missing'> {
  opts?.signal?.throwIfAborted();
  const { driver } = store;
  try {
    const blob = repo === undefined ? await findBlob(store, digest) : await findLinkedBlob(store, repo, digest);
    if (blob === undefined) return 'missing';
    const before = await driver.stat(blob.path);
    const object = await driver.open(blob.path);
    if (object === undefined) return 'missing';
    if ((await hashReader(object, digestAlgorithm(blob.stored), opts)).digest() === blob.stored) return 'sound';
    const after = await driver.stat(blob.path);
    const isUnchanged = after?.size === before?.size && after?.storedAt.getTime() === before?.storedAt.getTime();
    // Another process has replaced or removed the file meanwhile.
    return isUnchanged ? 'damaged' : await checkBlob(store, repo, digest, opts);
  } catch (error) {
    // A link that holds no digest, or a symbolic link in place of the file.
    if (isOciError(error, 'STORAGE_DAMAGED')) return 'damaged';
    throw error;
  }
}
