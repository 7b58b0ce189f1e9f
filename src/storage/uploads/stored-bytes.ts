import { HashingWriter } from '../../files/hashing-writer.ts';
import {
  createHasher,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestBytes,
  type Hasher,
} from '../../model/digest.ts';
import { isOciError, type OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { UploadBytes } from '../../registry/upload-session.ts';
import { hashReader } from '../blobs/hash-reader.ts';
import { linkBlob, placeBlob, storeBlob } from '../blobs/links.ts';
import type { FoundSession, Upload } from '../driver.ts';
import { blobPath, type UploadId, uploadDataPath, uploadPath, uploadStartedAtPath, uploadUnknown } from '../paths.ts';
import type { Store } from '../store.ts';
import { findSession, removeSession } from './sessions.ts';

interface OpenUpload {
  readonly upload: Upload;
  readonly writer: HashingWriter;
  /** Number of bytes when it was opened. */
  readonly resumedSize: number;
  /** Whether the upload can end the session. */
  readonly endsSession: boolean;
}

export interface UploadFacts {
  readonly id: UploadId;
  readonly repo: RepositoryName;
  readonly startedAt: Date;
}

/**
 * The bytes of an upload session. Between two requests they are at rest: the store keeps them for any process, with
 * their digest, because the state of a running hash cannot be stored. The running hash itself stays in memory, and is used
 * if it has hashed what the store has. Where no other process may answer the next request, nothing is stored before there
 * are bytes to keep: most blobs are small, and arrive complete in one request.
 */
export class StoredBytes implements UploadBytes {
  readonly keeper = 'registry';
  readonly repo: RepositoryName;
  readonly #facts: UploadFacts;
  readonly #store: Store;
  #stored = false;
  #found: FoundSession | undefined;
  #hasher: Hasher | undefined;
  #size = 0;
  #expected: Digest | undefined;
  #open: OpenUpload | undefined;

  /**
   * @param hasher Has hashed nothing; undefined if there may be bytes.
   * @param found The session in the store; undefined if it is not stored.
   */
  constructor(store: Store, facts: UploadFacts, hasher: Hasher | undefined, found?: FoundSession) {
    this.#store = store;
    this.#facts = facts;
    this.repo = facts.repo;
    this.#hasher = hasher;
    if (found !== undefined) this.see(found);
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

  /** Takes in what the store has by now. To be called while it is not open. */
  see(found: FoundSession): void {
    this.#stored = true;
    this.#found = found;
    this.#size = found.size;
  }

  /** Tells the digest that they will have, if it is known. Empty bytes then go to their place at once. */
  expect(digest: Digest | undefined): void {
    this.#expected = digest;
  }

  async open(): Promise<void> {
    this.#store.sessions.used(this.#facts.id);
    this.#open = this.#stored ? await this.#openStored() : await this.#openUnstored();
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#whileThere(() => this.#opened().writer.write(chunk));
  }

  async digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    const found = await this.#whileThere(() => this.#digest(algorithm, opts));
    if (!this.#stored || this.#expected === undefined || found === this.#expected || (await this.#isBegun()))
      return found;
    // Another process has completed it meanwhile: what was read of it is not what the client sent.
    await this.end();
    throw uploadUnknown();
  }

  async place(digest: Digest): Promise<void> {
    await this.#whileThere(() => this.#place(digest));
  }

  async #digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    const { upload, writer, resumedSize } = this.#opened();
    const bytes = writer.unwritten;
    if (bytes !== undefined) return await digestBytes(bytes, algorithm);
    await writer.flush();
    const running = this.#hasher;
    this.#hasher = undefined;
    if (running?.algorithm === algorithm) return running.digest();
    const kept = upload.size === resumedSize ? upload.digest : undefined;
    if (kept !== undefined && digestAlgorithm(kept) === algorithm) return kept;
    if (upload.size === 0) return (await createHasher(algorithm)).digest();
    return (await hashReader(await upload.read(), algorithm, opts)).digest();
  }

  async #place(digest: Digest): Promise<void> {
    const { upload, writer } = this.#opened();
    const bytes = writer.unwritten;
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
    const { upload, writer, resumedSize } = open;
    let digest: Digest | undefined;
    try {
      await writer.flush();
      digest = this.#hasher?.current() ?? (upload.size === resumedSize ? upload.digest : undefined);
    } catch (error) {
      this.#hasher = undefined; // it has hashed more than the disk accepted
      throw error;
    } finally {
      this.#size = upload.size;
      this.#store.sessions.used(this.#facts.id);
      await upload.rest({ digest });
    }
  }

  async end(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#store.sessions.ended(this.#facts.id);
    await open?.writer.discard();
    if (open?.endsSession === true) return await open.upload.end?.();
    await open?.upload.abort();
    if (this.#stored) await removeSession(this.#store.driver, uploadPath(this.repo, this.#facts.id));
  }

  /** Stores the session, so that it outlives this process. */
  async keep(): Promise<void> {
    if (this.#stored) return;
    const { repo, id, startedAt } = this.#facts;
    const path = uploadStartedAtPath(repo, id);
    await this.#store.driver.put(path, Buffer.from(startedAt.toISOString()), { durable: false });
    this.#stored = true;
  }

  unknown(): OciError {
    return uploadUnknown();
  }

  #opened(): OpenUpload {
    if (this.#open === undefined) throw uploadUnknown();
    return this.#open;
  }

  async #openStored(): Promise<OpenUpload> {
    const { repo, id } = this.#facts;
    const found = this.#found ?? (await findSession(this.#store.driver, uploadPath(repo, id)));
    this.#found = undefined;
    const expected = this.#expected;
    const upload = await found?.open({ to: expected && blobPath(expected) });
    if (upload === undefined) throw uploadUnknown();
    this.#size = upload.size;
    const algorithm = expected === undefined ? this.#hasher?.algorithm : digestAlgorithm(expected);
    if (upload.size === 0) this.#hasher = await createHasher(algorithm);
    else if (upload.digest === undefined || this.#hasher?.current() !== upload.digest) this.#hasher = undefined;
    return {
      upload,
      writer: new HashingWriter(upload, this.#hasher),
      resumedSize: upload.size,
      endsSession: upload.end !== undefined,
    };
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

  async #isBegun(): Promise<boolean> {
    return (await this.#store.driver.stat(uploadStartedAtPath(this.repo, this.#facts.id))) !== undefined;
  }

  // The session is stored with its first piece. A blob that fits one buffer never needs that.
  async #openUnstored(): Promise<OpenUpload> {
    const to = this.#expected && blobPath(this.#expected);
    const path = uploadDataPath(this.repo, this.#facts.id);
    const upload = await this.#store.driver.uploads.begin(path, to && { to });
    const keeping = {
      get size() {
        return upload.size;
      },
      write: async (chunk: Uint8Array) => {
        await this.keep();
        await upload.write(chunk);
      },
    };
    return { upload, writer: new HashingWriter(keeping, this.#hasher), resumedSize: 0, endsSession: false };
  }
}
