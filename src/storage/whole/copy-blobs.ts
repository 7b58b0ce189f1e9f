import { fileContent } from '../../files/file-content.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import type { BlobSource } from '../../registry/content.ts';
import { atOnce } from '../at-once.ts';
import { walkBlobs } from '../blobs/blobs.ts';
import { download, downloadSmall, smallBytes } from '../blobs/partial.ts';
import { SizedDigests } from '../digests/sized-digests.ts';
import { blobPath } from '../paths.ts';
import type { Store } from '../store.ts';
import type { CopyOptions, CopyTotals } from './copy-totals.ts';
import type { ReadableSource } from './readable-source.ts';

interface BlobCopyOptions extends CopyOptions, Pick<ReadableSource, 'isUnreadable'> {
  readonly onUnreadable: NonNullable<CopyOptions['onUnreadable']>;
}

/** Blobs that move at the same time. */
const blobsAtOnce = 6;

/** Copies the blobs of a store that the other one does not have with the same size. They are hashed as they go. */
export class BlobCopier {
  /** The blobs of the destination. */
  readonly there = new SizedDigests();
  readonly #from: Store;
  readonly #to: Store;
  readonly #opts: BlobCopyOptions;
  readonly #totals: CopyTotals;

  constructor(from: Store, to: Store, opts: BlobCopyOptions, totals: CopyTotals) {
    this.#from = from;
    this.#to = to;
    this.#opts = opts;
    this.#totals = totals;
  }

  async copyAll(check: () => void): Promise<void> {
    const { signal } = this.#opts;
    for await (const { digest, size } of walkBlobs(this.#to, { signal })) this.there.set(digest, size);
    await atOnce(
      walkBlobs(this.#from, { signal, onHidden: this.#opts.onUnreadable }),
      blobsAtOnce,
      async ({ digest, size }) => {
        check();
        await this.#copy(digest, size);
      },
    );
  }

  /** Makes sure that the destination has a blob, which may have been pushed meanwhile. @returns Whether it has it. */
  async bring(digest: Digest): Promise<boolean> {
    if (this.there.sizeOf(digest) !== undefined) return true;
    if (this.#totals.damaged.includes(digest) || this.#totals.unreadable.includes(digest)) return false;
    try {
      const facts = await this.#from.driver.stat(blobPath(digest));
      if (facts !== undefined) await this.#copy(digest, facts.size);
    } catch (error) {
      if (!this.#opts.isUnreadable(error)) throw error;
      this.#opts.onUnreadable(digest, error);
    }
    return this.there.sizeOf(digest) !== undefined;
  }

  async #copy(digest: Digest, size: number): Promise<void> {
    const { signal, dryRun, onBlob } = this.#opts;
    signal?.throwIfAborted();
    const { present, copied, damaged } = this.#totals;
    if (this.there.sizeOf(digest) === size) {
      present.count += 1;
      present.bytes += size;
      return;
    }
    const descriptor = { mediaType: mediaTypes.octetStream, digest, size };
    try {
      if (dryRun !== true) {
        onBlob?.(descriptor, 'begins');
        await this.#move(descriptor);
      }
      this.there.set(digest, size);
      copied.count += 1;
      copied.bytes += size;
      onBlob?.(descriptor, 'ended');
    } catch (error) {
      if (isOciError(error, 'BLOB_UNKNOWN')) return; // a collection has removed it meanwhile
      if (isOciError(error, 'STORAGE_DENIED') && this.#opts.isUnreadable(error)) {
        this.#opts.onUnreadable(digest, error);
        onBlob?.(descriptor, 'damaged');
        return;
      }
      if (!isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH', 'STORAGE_DAMAGED')) throw error;
      damaged.push(digest);
      onBlob?.(descriptor, 'damaged');
    }
  }

  async #move(descriptor: Descriptor): Promise<void> {
    const { signal } = this.#opts;
    const path = blobPath(descriptor.digest);
    const source: BlobSource = {
      open: async (offset) => {
        const file = await this.#from.driver.open(path, offset > 0 ? { start: offset } : undefined);
        if (file === undefined) throw new OciError('BLOB_UNKNOWN', `${descriptor.digest} was removed meanwhile`);
        return fileContent(descriptor, file, { signal });
      },
    };
    if (descriptor.size <= smallBytes) await downloadSmall(this.#to, descriptor, source, { signal });
    // One of another size is damaged.
    else await download(this.#to, descriptor, source, { signal, replace: true });
  }
}
