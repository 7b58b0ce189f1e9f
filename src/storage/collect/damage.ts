/** Blobs whose files have changed since they were stored. They are removed, so that the next pull or push restores them. */
import { type Digest, digestAlgorithm } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { RecentMap } from '../../model/recent-map.ts';
import type { Content } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { hashReader } from '../blobs/hash-reader.ts';
import type { StoredBlob } from '../blobs/stored-blob.ts';
import type { StorePath } from '../driver.ts';
import type { Store } from '../store.ts';

export const repairedByPull = 'repair it with ocictl pull, or push again if it is the store of a registry';

/** The error for a file of the store with wrong content. */
export function damaged({ driver }: Store, path: StorePath, problem: string, hint: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${driver.name}/${path} ${problem}`, { hint });
}

/**
 * Like {@link refuseDamaged}, for a blob whose only cause for suspicion is a manifest with another size. Anybody may
 * push such a manifest, so an unchanged file is hashed once only.
 */
export async function refuseOtherSize(store: Store, blob: StoredBlob): Promise<void> {
  const facts = await store.driver.stat(blob.path);
  if (facts === undefined) return;
  const file = `${blob.path} ${facts.size} ${facts.storedAt.getTime()}`;
  // Not cancelled by the signal of one request: several requests may wait for the same check.
  await store.checked.once(file, () => refuseDamaged(store, blob));
}

/** Hashes a suspicious blob. @throws OciError STORAGE_DAMAGED if it is damaged; its file is then removed. */
export async function refuseDamaged(store: Store, blob: StoredBlob, opts?: SignalOption): Promise<void> {
  const { driver } = store;
  const before = await driver.stat(blob.path);
  const object = await driver.open(blob.path);
  if (object === undefined) return;
  if ((await hashReader(object, digestAlgorithm(blob.stored), opts)).digest() === blob.stored) return;
  const after = await driver.stat(blob.path);
  // The file was replaced meanwhile: check again, or the new file would be removed.
  if (after && (after.size !== before?.size || after.storedAt.getTime() !== before.storedAt.getTime())) {
    return refuseDamaged(store, blob, opts);
  }
  const removed = !driver.readOnly && (await driver.delete(blob.path));
  throw new OciError(
    'STORAGE_DAMAGED',
    `blob ${blob.stored} in ${store.name} is damaged: ${driver.name}/${blob.path}`,
    {
      hint: `${removed ? 'the damaged copy was removed; ' : ''}${repairedByPull}`,
    },
  );
}

/** Like {@link refuseOtherSize}, but returns true for a damaged blob: for callers that can treat it as missing. */
export async function isDamaged(store: Store, blob: StoredBlob): Promise<boolean> {
  try {
    await refuseOtherSize(store, blob);
    return false;
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return true;
    throw error;
  }
}

/** Wraps verified content: a mismatch means the stored file is damaged, not that the sender lied. */
export function blamingStore(store: Store, blob: StoredBlob, content: Content, opts?: SignalOption): Content {
  const doubt = async (error: unknown): Promise<never> => {
    if (isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH')) await refuseDamaged(store, blob, opts);
    throw error;
  };
  return {
    descriptor: content.descriptor,
    async *[Symbol.asyncIterator]() {
      try {
        yield* content;
      } catch (error) {
        await doubt(error);
      }
    },
    drainTo: (sink, drainOptions) => content.drainTo(sink, drainOptions).catch(doubt),
    cancel: () => content.cancel(),
  };
}

const maxSizes = 10_000;

/** Sizes of blobs, according to the manifests that were read. */
export class KnownSizes {
  readonly #sizes = new RecentMap<Digest, number>(maxSizes);

  learn(digest: Digest, size: number): void {
    this.#sizes.set(digest, size);
  }

  /** @throws OciError STORAGE_DAMAGED if the blob has another size and wrong content. */
  async check(store: Store, digest: Digest, blob: StoredBlob): Promise<void> {
    const expected = this.#sizes.get(digest);
    if (expected === undefined || expected === blob.size) return;
    await refuseOtherSize(store, blob);
    // The blob is intact: the manifest was wrong.
    this.#sizes.set(digest, blob.size);
  }
}
