import { HashingWriter } from '../../files/hashing-writer.ts';
import {
  createHasher,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestBytes,
  type Hasher,
} from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { digestMismatch } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { hashReader } from '../blobs/hash-reader.ts';
import { linkBlob, placeBlob, storeBlob } from '../blobs/links.ts';
import type { Upload } from '../driver.ts';
import { deleteBelow } from '../listing.ts';
import { type UploadId, uploadDataPath, uploadPath, uploadStartedAtPath, uploadUnknown } from '../paths.ts';
import type { Store } from '../store.ts';

interface OpenUpload {
  readonly upload: Upload;
  readonly writer: HashingWriter;
}

/**
 * One upload session as this process knows it. Its operations run one after the other. Between two requests it rests:
 * the store keeps the upload for anybody, and the running hash stays here, since Node cannot save one. Until there are
 * bytes to keep nothing is stored: most blobs are small, and come whole with one request.
 */
export class UploadSession {
  readonly id: UploadId;
  readonly repo: RepositoryName;
  readonly startedAt: Date;
  readonly #store: Store;
  #stored: boolean;
  #hasher: Hasher | undefined;
  #size: number;
  #open: OpenUpload | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #owner: object | undefined;
  #ended = false;

  constructor(
    store: Store,
    facts: { readonly id: UploadId; readonly repo: RepositoryName; readonly startedAt: Date },
    { stored, size, hasher }: { readonly stored: boolean; readonly size: number; readonly hasher: Hasher | undefined },
  ) {
    this.#store = store;
    this.#stored = stored;
    this.id = facts.id;
    this.repo = facts.repo;
    this.startedAt = facts.startedAt;
    this.#size = size;
    this.#hasher = hasher;
  }

  get size(): number {
    return this.#open?.writer.size ?? this.#size;
  }

  /** Whether it is in the store, where another process finds it. */
  get stored(): boolean {
    return this.#stored;
  }

  /** Whether no upload is open. */
  get resting(): boolean {
    return this.#open === undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async write(owner: object, offset: number, chunk: Uint8Array): Promise<void> {
    await this.#inTurn(async () => {
      const { writer } = await this.#take(owner, offset);
      try {
        await writer.write(chunk);
      } catch (error) {
        await this.#rest().catch(() => {});
        throw error;
      }
    });
  }

  async commit(owner: object, offset: number, digest: Digest, size: number | undefined, opts?: SignalOption) {
    return await this.#inTurn(async () => {
      const { upload, writer } = await this.#take(owner, offset);
      const bytes = this.#stored ? undefined : writer.unwritten;
      if (bytes === undefined) await writer.flush();
      const total = writer.size;
      if (size !== undefined && size !== total) {
        await this.#end();
        throw new OciError('SIZE_MISMATCH', `the upload has ${total} bytes, not the ${size} announced`);
      }
      const algorithm = digestAlgorithm(digest);
      const got = bytes ? await digestBytes(bytes, algorithm) : await this.#digest(upload, algorithm, opts);
      if (got !== digest) {
        await this.#end();
        throw digestMismatch(digest, got);
      }
      try {
        await this.#store.marks.during(async () => {
          await this.#store.marks.hold([digest]);
          const blob = bytes
            ? await storeBlob(this.#store, digest, bytes)
            : await placeBlob(this.#store, upload, digest);
          await linkBlob(this.#store, this.repo, digest, blob);
        });
      } catch (error) {
        await this.#rest().catch(() => {});
        throw error;
      }
      await this.#end();
      return total;
    });
  }

  /** Lets go of the upload, so that another writer, process or run can go on. */
  async rest(owner: object): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#owner !== owner) return;
      this.#owner = undefined;
      await this.#rest();
    });
  }

  async cancel(): Promise<void> {
    await this.#inTurn(() => this.#end());
  }

  /** Brings it into the store, where it outlives this process. */
  async keep(): Promise<void> {
    await this.#inTurn(async () => {
      if (!this.#ended) await this.#keep();
    });
  }

  async #keep(): Promise<void> {
    if (this.#stored) return;
    const startedAt = Buffer.from(this.startedAt.toISOString());
    await this.#store.driver.put(uploadStartedAtPath(this.repo, this.id), startedAt);
    this.#stored = true;
  }

  async #take(owner: object, offset: number): Promise<OpenUpload> {
    if (this.#ended) throw uploadUnknown();
    if (this.#owner !== owner) await this.#rest();
    this.#owner = owner;
    if (this.#open !== undefined) return this.#open;
    this.#open = this.#stored ? await this.#openStored() : await this.#openUnstored();
    const { size } = this.#open.upload;
    if (offset !== size) {
      await this.#rest();
      throw outOfOrder(offset, size);
    }
    return this.#open;
  }

  async #openStored(): Promise<OpenUpload> {
    const { driver } = this.#store;
    const path = uploadDataPath(this.repo, this.id);
    if ((await driver.stat(uploadStartedAtPath(this.repo, this.id))) === undefined) throw uploadUnknown();
    const upload = (await driver.uploads.resume(path)) ?? (await driver.uploads.begin(path));
    if (upload.size !== this.#size) {
      this.#hasher = undefined;
      this.#size = upload.size;
    }
    return { upload, writer: new HashingWriter(upload, this.#hasher) };
  }

  // The session is stored when the first piece is written: what fits into one buffer never needs it.
  async #openUnstored(): Promise<OpenUpload> {
    const upload = await this.#store.driver.uploads.begin(uploadDataPath(this.repo, this.id));
    const keeping = {
      get size() {
        return upload.size;
      },
      write: async (chunk: Uint8Array) => {
        await this.#keep();
        await upload.write(chunk);
      },
    };
    return { upload, writer: new HashingWriter(keeping, this.#hasher) };
  }

  async #digest(upload: Upload, algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    const running = this.#hasher;
    this.#hasher = undefined;
    if (running?.algorithm === algorithm) return running.digest();
    if (upload.size === 0) return (await createHasher(algorithm)).digest();
    return (await hashReader(await upload.read(), algorithm, opts)).digest();
  }

  async #rest(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    try {
      await open.writer.flush();
    } catch (error) {
      this.#hasher = undefined; // it ran ahead of what the disk took
      throw error;
    } finally {
      this.#size = open.upload.size;
      await open.upload.rest();
    }
  }

  async #end(): Promise<void> {
    const open = this.#open;
    this.#ended = true;
    this.#open = undefined;
    await open?.writer.discard();
    await open?.upload.abort();
    if (!this.#stored) return;
    const { driver } = this.#store;
    await driver.uploads.abort(uploadDataPath(this.repo, this.id));
    await deleteBelow(driver, uploadPath(this.repo, this.id));
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(operation);
    this.#turn = result.catch(() => {});
    return result;
  }
}

export function outOfOrder(offset: number, size: number): OciError {
  return new OciError('RANGE_INVALID', `the upload has ${size} bytes, so a chunk cannot start at ${offset}`, {
    detail: { size },
    hint: 'go on from where the registry is, or start the upload again',
  });
}
