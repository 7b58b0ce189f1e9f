import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileMode } from '../../files/durable.ts';
import { drainFile } from '../../files/file-content.ts';
import { readerOf } from '../../files/file-reader.ts';
import { HashingWriter } from '../../files/hashing-writer.ts';
import { createHasher, type Digest, type DigestAlgorithm, type Hasher } from '../../model/digest.ts';
import type { Sink } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { onFile, storageError } from './file-errors.ts';

/** A file in the work directory to which a blob is written. */
export class BlobFile implements Sink {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #hasher: Hasher | undefined;
  readonly #writer: HashingWriter;
  #closing: Promise<void> | undefined;

  private constructor(path: string, handle: FileHandle, size: number, hasher: Hasher | undefined) {
    this.path = path;
    this.#handle = handle;
    this.#hasher = hasher;
    const file = {
      size,
      write: (chunk: Uint8Array) =>
        onFile('write', path, async () => {
          for (let written = 0; written < chunk.length; ) {
            const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, file.size);
            written += bytesWritten;
            file.size += bytesWritten;
          }
        }),
    };
    this.#writer = new HashingWriter(file, hasher);
  }

  /** Creates the file; everything written to it is hashed. It must not exist: a planted link is not followed. */
  static async create(path: string, algorithm?: DigestAlgorithm): Promise<BlobFile> {
    const hasher = await createHasher(algorithm);
    return new BlobFile(path, await open(path, 'wx+', fileMode), 0, hasher);
  }

  /** Opens a file to continue it. Its content is hashed at the end. */
  static async reopen(path: string): Promise<BlobFile> {
    const handle = await open(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
    try {
      const { size } = await handle.stat();
      return new BlobFile(path, handle, size, undefined);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Bytes accepted so far, including those not in the file yet. */
  get size(): number {
    return this.#writer.size;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#writer.write(chunk);
  }

  /**
   * The digest of the content. The file is read again if it was not hashed while it was written, or with another algorithm.
   */
  async digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    await this.flush();
    if (this.#hasher?.algorithm === algorithm) return this.#hasher.digest();
    const hasher = await createHasher(algorithm);
    const reader = readerOf(this.#handle, this.size, undefined, (error) => storageError(error, 'read', this.path));
    await drainFile(reader, { write: async (piece) => hasher.update(piece) }, [opts?.signal]);
    return hasher.digest();
  }

  /** Writes everything that was accepted, and frees the buffers. The file can still be written to. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Makes the content survive a power cut, and closes the file. */
  async finish(): Promise<void> {
    await this.flush();
    await onFile('write', this.path, () => this.#handle.sync());
    await this.close();
  }

  /** Closes the file and ignores write errors. Idempotent. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    this.#closing ??= this.#handle.close();
    await this.#closing;
  }
}
