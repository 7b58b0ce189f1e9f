/** Blobs whose files are no longer what was stored. They are removed, so that the next pull or push brings them again. */
import { type Digest, digestAlgorithm } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { RecentMap } from '../../model/recent-map.ts';
import type { Content } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { hashReader } from '../blobs/hash-reader.ts';
import type { StoredBlob } from '../blobs/stored-blob.ts';
import type { StorePath } from '../driver.ts';
import type { Store } from '../store.ts';

export const repairedByPull = 'repair it with ocictl pull, or in the directory of a registry with another push';

/** The error for a file of the store that holds something else than it should. */
export function damaged({ driver }: Store, path: StorePath, problem: string, hint: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${driver.name}/${path} ${problem}`, { hint });
}

/**
 * As {@link refuseDamaged}, for a blob that only a manifest gives a reason to doubt, by naming another size: anybody may
 * push such a manifest, and the same file is hashed for it once.
 */
export async function refuseOtherSize(store: Store, blob: StoredBlob): Promise<void> {
  const facts = await store.driver.stat(blob.path);
  if (facts === undefined) return;
  const file = `${blob.path} ${facts.size} ${facts.storedAt.getTime()}`;
  // Without the signal of a request: several may wait for the same check.
  await store.checked.once(file, () => refuseDamaged(store, blob));
}

/** Hashes a blob that somebody has a reason to doubt. @throws OciError STORAGE_DAMAGED; its file is then gone. */
export async function refuseDamaged(store: Store, blob: StoredBlob, opts?: SignalOption): Promise<void> {
  const { driver } = store;
  const before = await driver.stat(blob.path);
  const object = await driver.open(blob.path);
  if (object === undefined) return;
  if ((await hashReader(object, digestAlgorithm(blob.stored), opts)).digest() === blob.stored) return;
  const after = await driver.stat(blob.path);
  // Somebody has put another file there meanwhile: it is that one that would be removed.
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

/** As {@link refuseOtherSize}, for who can do with a blob that is not there. */
export async function isDamaged(store: Store, blob: StoredBlob): Promise<boolean> {
  try {
    await refuseOtherSize(store, blob);
    return false;
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return true;
    throw error;
  }
}

/** Content of a stored blob whose own checks blame whoever sent it: what is wrong with it here is wrong with the store. */
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

/** How large blobs should be, as far as the manifests say that were given out. */
export class KnownSizes {
  readonly #sizes = new RecentMap<Digest, number>(maxSizes);

  learn(digest: Digest, size: number): void {
    this.#sizes.set(digest, size);
  }

  /** @throws OciError STORAGE_DAMAGED where the size is another one, and the bytes are too. */
  async check(store: Store, digest: Digest, blob: StoredBlob): Promise<void> {
    const expected = this.#sizes.get(digest);
    if (expected === undefined || expected === blob.size) return;
    await refuseOtherSize(store, blob);
    // It was the manifest that lied.
    this.#sizes.set(digest, blob.size);
  }
}
