import type { Hasher } from '../model/digest.ts';
import { bufferBytes, giveBuffer, takeBuffer } from './buffers.ts';

/** What takes the bytes, one chunk after the other, and knows how many it has. */
interface GrowingFile {
  readonly size: number;
  /** The chunk may be reused when the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>;
}

const done = Promise.resolve();
/** A chunk from this size on is written and hashed where it lies. */
const inPlaceBytes = 128 * 1024;

/**
 * Collects chunks into large pieces; while one piece is written by the system, it is hashed here and the next one
 * fills. So `write` seldom waits, and a blob takes about as long as its hash.
 */
export class HashingWriter {
  readonly #file: GrowingFile;
  readonly #hasher: Hasher | undefined;
  #filling: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #writing: Uint8Array<ArrayBuffer> | undefined;
  #written: Promise<void> = done;
  #size: number;

  /** @param hasher Has seen what is in the file already. Absent: nothing is hashed. */
  constructor(file: GrowingFile, hasher: Hasher | undefined) {
    this.#file = file;
    this.#hasher = hasher;
    this.#size = file.size;
  }

  /** Bytes taken, those not yet in the file included. */
  get size(): number {
    return this.#size;
  }

  /** All that was taken, as long as it lies in one buffer and nothing of it has gone to the file or the hash. */
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

  /** Brings all that was taken into the hash and the file, and frees the buffers. The writer can be used on. */
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

  /** Frees the buffers. What is not in the file yet is dropped, and so is the writer. */
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
    this.#put(piece).catch(() => {}); // reported to whoever waits for it next
  }

  #put(piece: Uint8Array): Promise<void> {
    this.#written = this.#file.write(piece);
    this.#hasher?.update(piece);
    return this.#written;
  }
}
