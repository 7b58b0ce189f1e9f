import { createHasher, type Digest, type DigestAlgorithm, digestAlgorithm, type Hasher } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { RepositoryName } from '../model/reference.ts';
import { digestMismatch } from '../registry/content.ts';
import type { SignalOption } from '../registry/registry.ts';
import type { FileAppender, StorePath } from './driver.ts';
import { hashFile } from './file-content.ts';
import { HashingWriter } from './hashing-writer.ts';
import { linkBlob, placeBlob } from './links.ts';
import { type UploadId, uploadDataPath, uploadPath, uploadStartedAtPath, uploadUnknown } from './paths.ts';
import type { Store } from './store.ts';
import { findLeftovers, ownPath, takeLeftover } from './working-file.ts';

interface OpenFile {
  readonly path: StorePath;
  readonly appender: FileAppender;
  readonly writer: HashingWriter;
}

/**
 * One upload session as this process knows it. Its operations run one after the other. Between two requests it rests:
 * the file has its plain name and is closed, and the running hash stays here, since Node cannot save one.
 */
export class UploadSession {
  readonly id: UploadId;
  readonly repo: RepositoryName;
  readonly startedAt: Date;
  readonly #store: Store;
  #hasher: Hasher | undefined;
  #size: number;
  #file: OpenFile | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #owner: object | undefined;
  #ended = false;

  constructor(
    store: Store,
    facts: { readonly id: UploadId; readonly repo: RepositoryName; readonly startedAt: Date },
    size: number,
    hasher: Hasher | undefined,
  ) {
    this.#store = store;
    this.id = facts.id;
    this.repo = facts.repo;
    this.startedAt = facts.startedAt;
    this.#size = size;
    this.#hasher = hasher;
  }

  get size(): number {
    return this.#file?.writer.size ?? this.#size;
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
      const { path, appender, writer } = await this.#open(owner, offset);
      await writer.flush();
      const total = writer.size;
      if (size !== undefined && size !== total) {
        await this.#end();
        throw new OciError('SIZE_MISMATCH', `the upload has ${total} bytes, not the ${size} announced`);
      }
      const got = await this.#digest(path, digestAlgorithm(digest), opts);
      if (got !== digest) {
        await this.#end();
        throw digestMismatch(digest, got);
      }
      try {
        await appender.sync();
        await appender.close();
        await linkBlob(this.#store, this.repo, digest, await placeBlob(this.#store, path, digest, total));
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

  async #open(owner: object, offset: number): Promise<OpenFile> {
    if (this.#ended) throw uploadUnknown();
    if (this.#owner !== owner) await this.#rest();
    this.#owner = owner;
    if (this.#file !== undefined) return this.#file;
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
    this.#file = { path, appender, writer: new HashingWriter(appender, this.#hasher) };
    if (offset !== appender.size) {
      await this.#rest();
      throw outOfOrder(offset, appender.size);
    }
    return this.#file;
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
      await this.#store.driver.move(file.path, uploadDataPath(this.repo, this.id));
    }
  }

  async #end(): Promise<void> {
    const file = this.#file;
    this.#ended = true;
    this.#file = undefined;
    await file?.writer.flush().catch(() => {});
    await file?.appender.close();
    await this.#store.driver.removeTree(uploadPath(this.repo, this.id));
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
