import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileMode } from '../../files/durable.ts';
import { createHasher, type Digest, type DigestAlgorithm, type Hasher } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Sink } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { drainHandle, giveBuffer, pieceBytes, takeBuffer } from './blob-content.ts';
import { onFile } from './file-errors.ts';

const done = Promise.resolve();
const directBytes = pieceBytes / 4;

/**
 * A file that a blob is written to. Small chunks are collected into large pieces; while the system writes one piece, it
 * is hashed here, and the next one fills.
 */
export class BlobFile implements Sink {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #hasher: Hasher | undefined;
  #placed: number;
  #filling: Uint8Array | undefined;
  #filled = 0;
  #spare: Uint8Array | undefined;
  #writing: Promise<void> = done;
  #failed = false;
  #closing: Promise<void> | undefined;

  private constructor(path: string, handle: FileHandle, size: number, hasher: Hasher | undefined) {
    this.path = path;
    this.#handle = handle;
    this.#placed = size;
    this.#hasher = hasher;
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
    return this.#placed + this.#filled;
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#filled === 0 && chunk.length >= directBytes) return this.#writeThrough(chunk);
    if (this.#filling === undefined || chunk.length > pieceBytes - this.#filled) return this.#writeAcross(chunk);
    this.#filling.set(chunk, this.#filled);
    this.#filled += chunk.length;
    return done;
  }

  /** The digest of everything written. Reads the file again where it was not hashed on its way, or under another algorithm. */
  async digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    await this.flush();
    if (this.#hasher?.algorithm === algorithm) return this.#hasher.digest();
    const hasher = await createHasher(algorithm);
    const sink = { write: async (piece: Uint8Array): Promise<void> => hasher.update(piece) };
    await onFile('read', this.path, () => drainHandle(this.#handle, 0, this.#placed, sink, opts?.signal));
    return hasher.digest();
  }

  /** Brings all that was taken into the file and frees the buffers. The file can be written on. */
  async flush(): Promise<void> {
    try {
      if (this.#filled > 0) await this.#writeOut();
      await this.#writing;
    } finally {
      await this.#writing.catch(() => {});
      for (const buffer of [this.#filling, this.#spare]) if (buffer !== undefined) giveBuffer(buffer);
      this.#filling = undefined;
      this.#spare = undefined;
      this.#filled = 0;
    }
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

  // The chunk is the caller's again when this resolves: both the hash and the system must be done with it.
  async #writeThrough(chunk: Uint8Array): Promise<void> {
    await this.#writing;
    const writing = this.#place(chunk);
    writing.catch(() => {}); // awaited below, unless hashing fails
    this.#hasher?.update(chunk);
    await writing;
  }

  async #writeAcross(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.length; ) {
      if (this.#filled === pieceBytes) await this.#writeOut();
      this.#filling ??= takeBuffer();
      const part = chunk.subarray(taken, taken + pieceBytes - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
    }
  }

  async #writeOut(): Promise<void> {
    await this.#writing;
    const full = this.#filling;
    if (full === undefined) return;
    const piece = full.subarray(0, this.#filled);
    this.#filling = this.#spare;
    this.#spare = full;
    this.#filled = 0;
    this.#writing = this.#place(piece);
    this.#writing.catch(() => {}); // reported to whoever waits for it next
    this.#hasher?.update(piece);
  }

  #place(piece: Uint8Array): Promise<void> {
    const start = this.#placed;
    this.#placed += piece.length;
    return onFile('write', this.path, async () => {
      // Behind a piece that is missing, the next one would make a hole.
      if (this.#failed) throw new OciError('STORAGE', `cannot write ${this.path} after an earlier write failed`);
      this.#failed = true;
      for (let written = 0; written < piece.length; ) {
        const { bytesWritten } = await this.#handle.write(piece, written, piece.length - written, start + written);
        written += bytesWritten;
      }
      this.#failed = false;
    });
  }
}
