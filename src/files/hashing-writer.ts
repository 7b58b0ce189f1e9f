import type { Hasher } from '../model/digest.ts';
import { bufferBytes, giveBuffer, takeBuffer } from './buffers.ts';

/** The destination of the bytes: it is written to one chunk at a time, and knows its size. */
interface GrowingFile {
  readonly size: number;
  /** The chunk may be reused once the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>;
}

const done = Promise.resolve();
/** A chunk of at least this size is written and hashed without copying it. */
const inPlaceBytes = 128 * 1024;

/**
 * Collects chunks into large pieces. While the system writes one piece, it is hashed here and the next one fills up. So
 * `write` rarely waits, and writing a blob takes about as long as hashing it.
 */
export class HashingWriter {
  readonly #file: GrowingFile;
  readonly #hasher: Hasher | undefined;
  #filling: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #writing: Uint8Array<ArrayBuffer> | undefined;
  #written: Promise<void> = done;
  #size: number;

  /** @param hasher Has already seen the bytes in the file. If absent, nothing is hashed. */
  constructor(file: GrowingFile, hasher: Hasher | undefined) {
    this.#file = file;
    this.#hasher = hasher;
    this.#size = file.size;
  }

  /** Bytes accepted so far, including those not in the file yet. */
  get size(): number {
    return this.#size;
  }

  /** All bytes so far, if they fit one buffer and none of them was written or hashed yet; otherwise undefined. */
  get unwritten(): Uint8Array | undefined {
    if (this.#size !== this.#filled) return undefined;
    return this.#filling?.subarray(0, this.#filled) ?? new Uint8Array(0);
  }

  write(chunk: Uint8Array): Promise<void> {
    if (chunk.length >= inPlaceBytes) return this.#writeInPlace(chunk);
    if (this.#filling === undefined || chunk.length > bufferBytes - this.#filled) return this.#writeAcross(chunk);
    this.#filling.set(chunk, this.#filled);
    this.#filled += chunk.length;
    this.#size += chunk.length;
    return done;
  }

  /** Writes and hashes everything that was accepted, and frees the buffers. The writer can still be used afterwards. */
  async flush(): Promise<void> {
    try {
      if (this.#filled > 0) await this.#writeOut();
      await this.#written;
    } finally {
      await this.#written.catch(() => {});
      if (this.#writing !== undefined) giveBuffer(this.#writing);
      if (this.#filling !== undefined) giveBuffer(this.#filling);
      this.#writing = undefined;
      this.#filling = undefined;
      this.#filled = 0;
    }
  }

  /** Frees the buffers and drops what is not in the file yet. The writer must not be used afterwards. */
  async discard(): Promise<void> {
    this.#filled = 0;
    await this.flush().catch(() => {});
  }

  async #writeAcross(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.length; ) {
      if (this.#filled === bufferBytes) await this.#writeOut();
      this.#filling ??= takeBuffer();
      const part = chunk.subarray(taken, taken + bufferBytes - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      this.#size += part.length;
      taken += part.length;
    }
  }

  async #writeInPlace(chunk: Uint8Array): Promise<void> {
    if (this.#filled > 0) await this.#writeOut();
    await this.#written;
    this.#size += chunk.length;
    await this.#put(chunk);
  }

  async #writeOut(): Promise<void> {
    await this.#written;
    const full = this.#filling;
    if (full === undefined) return;
    const piece = full.subarray(0, this.#filled);
    this.#filling = this.#writing;
    this.#writing = full;
    this.#filled = 0;
    this.#put(piece).catch(() => {}); // reported by the next await of #written
  }

  #put(piece: Uint8Array): Promise<void> {
    this.#written = this.#file.write(piece);
    this.#hasher?.update(piece);
    return this.#written;
  }
}
