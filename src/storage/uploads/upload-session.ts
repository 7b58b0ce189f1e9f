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
import { hashFile } from '../blobs/hash-file.ts';
import { linkBlob, placeBlob, type StoredBlob, storeBlob } from '../blobs/links.ts';
import type { FileAppender, StorePath } from '../driver.ts';
import { type UploadId, uploadDataPath, uploadPath, uploadStartedAtPath, uploadUnknown } from '../paths.ts';
import type { Store } from '../store.ts';
import { findLeftovers, ownPath, takeLeftover } from './working-file.ts';

interface OpenFile {
  readonly path: StorePath;
  readonly appender: FileAppender;
  readonly writer: HashingWriter;
}

/**
 * One upload session as this process knows it. Its operations run one after the other. Between two requests it rests:
 * the file has its plain name and is closed, and the running hash stays here, since Node cannot save one. Until there
 * are bytes to keep nothing is on the disk: most blobs are small, and come whole with one request.
 */
export class UploadSession {
  readonly id: UploadId;
  readonly repo: RepositoryName;
  readonly startedAt: Date;
  readonly #store: Store;
  #stored: boolean;
  #hasher: Hasher | undefined;
  #size: number;
  #file: OpenFile | undefined;
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
    return this.#file?.writer.size ?? this.#size;
  }

  /** Whether it is on the disk, where another process finds it. */
  get stored(): boolean {
    return this.#stored;
  }

  /** Whether no file is open. */
  get resting(): boolean {
    return this.#file === undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async write(owner: object, offset: number, chunk: Uint8Array): Promise<void> {
    await this.#inTurn(async () => {
      const file = await this.#open(owner, offset);
      try {
        await file.writer.write(chunk);
      } catch (error) {
        await this.#rest().catch(() => {});
        throw error;
      }
    });
  }

  async commit(owner: object, offset: number, digest: Digest, size: number | undefined, opts?: SignalOption) {
    return await this.#inTurn(async () => {
      const file = await this.#open(owner, offset);
      const { path, writer } = file;
      const bytes = this.#stored ? undefined : writer.unwritten;
      if (bytes === undefined) await writer.flush();
      const total = writer.size;
      if (size !== undefined && size !== total) {
        await this.#end();
        throw new OciError('SIZE_MISMATCH', `the upload has ${total} bytes, not the ${size} announced`);
      }
      const algorithm = digestAlgorithm(digest);
      const got = bytes ? await digestBytes(bytes, algorithm) : await this.#digest(path, algorithm, opts);
      if (got !== digest) {
        await this.#end();
        throw digestMismatch(digest, got);
      }
      try {
        const blob = bytes ? await storeBlob(this.#store, digest, bytes) : await this.#place(file, digest);
        await linkBlob(this.#store, this.repo, digest, blob);
      } catch (error) {
        await this.#rest().catch(() => {});
        throw error;
      }
      await this.#end();
      return total;
    });
  }

  /** Lets go of the file, so that another writer, process or run can go on. */
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

  /** Brings it to the disk, where it outlives this process. */
  async keep(): Promise<void> {
    await this.#inTurn(async () => {
      if (!this.#ended) await this.#keep();
    });
  }

  async #keep(): Promise<void> {
    if (this.#stored) return;
    const startedAt = Buffer.from(this.startedAt.toISOString());
    await this.#store.driver.writeSmall(uploadStartedAtPath(this.repo, this.id), startedAt);
    this.#stored = true;
  }

  async #open(owner: object, offset: number): Promise<OpenFile> {
    if (this.#ended) throw uploadUnknown();
    if (this.#owner !== owner) await this.#rest();
    this.#owner = owner;
    if (this.#file !== undefined) return this.#file;
    this.#file = this.#stored ? await this.#openStored() : this.#openUnstored();
    const { size } = this.#file.appender;
    if (offset !== size) {
      await this.#rest();
      throw outOfOrder(offset, size);
    }
    return this.#file;
  }

  async #openStored(): Promise<OpenFile> {
    const { driver } = this.#store;
    const resting = uploadDataPath(this.repo, this.id);
    if ((await driver.stat(uploadStartedAtPath(this.repo, this.id))) === undefined) throw uploadUnknown();
    const path =
      (await takeLeftover(this.#store, resting, await findLeftovers(this.#store, resting))) ?? ownPath(resting);
    const appender = await driver.openAppend(path);
    if (appender.size !== this.#size) {
      this.#hasher = undefined;
      this.#size = appender.size;
    }
    return { path, appender, writer: new HashingWriter(appender, this.#hasher) };
  }

  // The file is made when the first piece is written: what fits into one buffer never needs it.
  #openUnstored(): OpenFile {
    const path = ownPath(uploadDataPath(this.repo, this.id));
    let file: FileAppender | undefined;
    const appender: FileAppender = {
      get size() {
        return file?.size ?? 0;
      },
      write: async (chunk) => {
        await this.#keep();
        file ??= await this.#store.driver.openAppend(path);
        await file.write(chunk);
      },
      sync: async () => await file?.sync(),
      close: async () => await file?.close(),
    };
    return { path, appender, writer: new HashingWriter(appender, this.#hasher) };
  }

  async #place({ path, appender, writer }: OpenFile, digest: Digest): Promise<StoredBlob> {
    await appender.sync();
    await appender.close();
    return await placeBlob(this.#store, path, digest, writer.size);
  }

  async #digest(path: StorePath, algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    const running = this.#hasher;
    this.#hasher = undefined;
    if (running?.algorithm === algorithm) return running.digest();
    const hasher = (await hashFile(this.#store.driver, path, algorithm, opts)) ?? (await createHasher(algorithm));
    return hasher.digest();
  }

  async #rest(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      await file.writer.flush();
    } catch (error) {
      this.#hasher = undefined; // it ran ahead of what the disk took
      throw error;
    } finally {
      this.#size = file.appender.size;
      await file.appender.close();
      if (this.#stored) await this.#store.driver.move(file.path, uploadDataPath(this.repo, this.id));
    }
  }

  async #end(): Promise<void> {
    const file = this.#file;
    this.#ended = true;
    this.#file = undefined;
    await file?.writer.discard();
    await file?.appender.close();
    if (this.#stored) await this.#store.driver.removeTree(uploadPath(this.repo, this.id));
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
