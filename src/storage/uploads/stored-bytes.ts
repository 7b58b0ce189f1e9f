import { HashingWriter } from '../../files/hashing-writer.ts';
import { createHasher, type Digest, type DigestAlgorithm, digestBytes, type Hasher } from '../../model/digest.ts';
import { isOciError, type OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { UploadBytes } from '../../registry/upload-session.ts';
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

export interface UploadFacts {
  readonly id: UploadId;
  readonly repo: RepositoryName;
  readonly startedAt: Date;
}

/**
 * The bytes of an upload session. Between two requests they are at rest: the store keeps them for any process, and the
 * running hash is kept in memory, because Node cannot save one. Nothing is stored before there are bytes to keep: most
 * blobs are small, and arrive complete in one request.
 */
export class StoredBytes implements UploadBytes {
  readonly keeper = 'registry';
  readonly repo: RepositoryName;
  readonly #facts: UploadFacts;
  readonly #store: Store;
  #stored: boolean;
  #hasher: Hasher | undefined;
  #size: number;
  #open: OpenUpload | undefined;

  /** @param hasher Has hashed all of the bytes; undefined if they have to be read again. */
  constructor(
    store: Store,
    facts: UploadFacts,
    { stored, size, hasher }: { readonly stored: boolean; readonly size: number; readonly hasher: Hasher | undefined },
  ) {
    this.#store = store;
    this.#facts = facts;
    this.repo = facts.repo;
    this.#stored = stored;
    this.#size = size;
    this.#hasher = hasher;
  }

  get size(): number {
    return this.#open?.writer.size ?? this.#size;
  }

  /** Whether the session is in the store, where another process can find it. */
  get stored(): boolean {
    return this.#stored;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  async open(): Promise<void> {
    this.#store.sessions.used(this.#facts.id);
    this.#open = this.#stored ? await this.#openStored() : await this.#openUnstored();
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#whileThere(() => this.#opened().writer.write(chunk));
  }

  async digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    return await this.#whileThere(() => this.#digest(algorithm, opts));
  }

  async place(digest: Digest): Promise<void> {
    await this.#whileThere(() => this.#place(digest));
  }

  async #digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    const { upload, writer } = this.#opened();
    const bytes = this.#inMemory();
    if (bytes !== undefined) return await digestBytes(bytes, algorithm);
    await writer.flush();
    const running = this.#hasher;
    this.#hasher = undefined;
    if (running?.algorithm === algorithm) return running.digest();
    if (upload.size === 0) return (await createHasher(algorithm)).digest();
    return (await hashReader(await upload.read(), algorithm, opts)).digest();
  }

  async #place(digest: Digest): Promise<void> {
    const { upload } = this.#opened();
    const bytes = this.#inMemory();
    const { marks } = this.#store;
    await marks.during(async () => {
      await marks.hold([digest]);
      const blob = bytes ? await storeBlob(this.#store, digest, bytes) : await placeBlob(this.#store, upload, digest);
      await linkBlob(this.#store, this.repo, digest, blob);
    });
  }

  async rest(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    try {
      await open.writer.flush();
    } catch (error) {
      this.#hasher = undefined; // it has hashed more than the disk accepted
      throw error;
    } finally {
      this.#size = open.upload.size;
      this.#store.sessions.used(this.#facts.id);
      await open.upload.rest();
    }
  }

  async end(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#store.sessions.ended(this.#facts.id);
    await open?.writer.discard();
    await open?.upload.abort();
    if (!this.#stored) return;
    const { driver } = this.#store;
    const { repo, id } = this.#facts;
    await driver.delete(uploadStartedAtPath(repo, id));
    await driver.uploads.abort(uploadDataPath(repo, id));
    await deleteBelow(driver, uploadPath(repo, id));
  }

  /** Stores the session, so that it outlives this process. */
  async keep(): Promise<void> {
    if (this.#stored) return;
    const { repo, id, startedAt } = this.#facts;
    await this.#store.driver.put(uploadStartedAtPath(repo, id), Buffer.from(startedAt.toISOString()));
    this.#stored = true;
  }

  unknown(): OciError {
    return uploadUnknown();
  }

  #opened(): OpenUpload {
    if (this.#open === undefined) throw uploadUnknown();
    return this.#open;
  }

  #inMemory(): Uint8Array | undefined {
    return this.#stored ? undefined : this.#open?.writer.unwritten;
  }

  async #openStored(): Promise<OpenUpload> {
    const { driver } = this.#store;
    const { repo, id } = this.#facts;
    const path = uploadDataPath(repo, id);
    if (!(await this.#isBegun())) throw uploadUnknown();
    const upload = (await driver.uploads.resume(path)) ?? (await driver.uploads.begin(path));
    if (upload.size !== this.#size) {
      if (!(await this.#isBegun())) {
        await upload.abort();
        throw uploadUnknown();
      }
      this.#hasher = undefined;
      this.#size = upload.size;
    }
    return { upload, writer: new HashingWriter(upload, this.#hasher) };
  }

  async #isBegun(): Promise<boolean> {
    return (await this.#store.driver.stat(uploadStartedAtPath(this.repo, this.#facts.id))) !== undefined;
  }

  // If the session was removed while it was written, that is the error, whatever the driver reports.
  async #whileThere<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      if (this.#stored && isOciError(error, 'STORAGE') && !(await this.#isBegun())) throw uploadUnknown();
      throw error;
    }
  }

  // The session is stored with its first piece. A blob that fits one buffer never needs that.
  async #openUnstored(): Promise<OpenUpload> {
    const upload = await this.#store.driver.uploads.begin(uploadDataPath(this.repo, this.#facts.id));
    const keeping = {
      get size() {
        return upload.size;
      },
      write: async (chunk: Uint8Array) => {
        await this.keep();
        await upload.write(chunk);
      },
    };
    return { upload, writer: new HashingWriter(keeping, this.#hasher) };
  }
}
