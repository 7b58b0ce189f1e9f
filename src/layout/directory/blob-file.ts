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

/** A file of the work directory that a blob is written to. */
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

  /** Creates the file and hashes all that is written to it. Nothing may be there: a planted link is not followed. */
  static async create(path: string, algorithm?: DigestAlgorithm): Promise<BlobFile> {
    const hasher = await createHasher(algorithm);
    return new BlobFile(path, await open(path, 'wx+', fileMode), 0, hasher);
  }

  /** Opens a file to go on with; what it holds is hashed at the end. */
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

  /** Bytes taken, those that are not yet in the file included. */
  get size(): number {
    return this.#writer.size;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#writer.write(chunk);
  }

  /** The digest of everything written. Reads the file again where it was not hashed on its way, or under another algorithm. */
  async digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    await this.flush();
    if (this.#hasher?.algorithm === algorithm) return this.#hasher.digest();
    const hasher = await createHasher(algorithm);
    const reader = readerOf(this.#handle, this.size, undefined, (error) => storageError(error, 'read', this.path));
    await drainFile(reader, { write: async (piece) => hasher.update(piece) }, [opts?.signal]);
    return hasher.digest();
  }

  /** Brings all that was taken into the file and frees the buffers. The file can be written on. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Makes the content survive a power cut, and closes. */
  async finish(): Promise<void> {
    await this.flush();
    await onFile('write', this.path, () => this.#handle.sync());
    await this.close();
  }

  /** Closes without a word on what could not be written. Idempotent. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    this.#closing ??= this.#handle.close();
    await this.#closing;
  }
}
