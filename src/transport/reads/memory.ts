import { bufferBytes, giveBuffer, takeBuffer } from '../../files/buffers.ts';

/** A read into less room than this is not worth the system call. */
const leastRoom = 64 * 1024;

/**
 * The memory for the reads of one connection: buffers that are filled one after the other. What was read is lent to the
 * reader. A buffer is reused once everything that was lent of it has been returned.
 */
export class ReadMemory {
  #filling: Uint8Array<ArrayBuffer> = takeBuffer();
  #filled = 0;
  /** Bytes that are lent out of each buffer. */
  readonly #lent = new Map<ArrayBuffer, { readonly whole: Uint8Array<ArrayBuffer>; bytes: number }>();
  #closed = false;

  /** Room for the next read. */
  room(): Uint8Array<ArrayBuffer> {
    if (bufferBytes - this.#filled < leastRoom && !this.#closed) {
      this.#retire();
      this.#filling = takeBuffer();
      this.#filled = 0;
    }
    return this.#filling.subarray(this.#filled);
  }

  /** Lends the bytes that were just read. */
  lend(bytes: number): Uint8Array<ArrayBuffer> {
    const chunk = this.#filling.subarray(this.#filled, this.#filled + bytes);
    this.#filled += bytes;
    const lent = this.#lent.get(chunk.buffer);
    if (lent) lent.bytes += bytes;
    else this.#lent.set(chunk.buffer, { whole: this.#filling, bytes });
    return chunk;
  }

  /** Returns lent memory, in pieces of any size. */
  take({ buffer, length }: Uint8Array): void {
    const lent = this.#lent.get(buffer as ArrayBuffer);
    if (!lent) return;
    lent.bytes -= length;
    if (lent.bytes > 0) return;
    this.#lent.delete(lent.whole.buffer);
    if (lent.whole !== this.#filling || this.#closed) giveBuffer(lent.whole);
  }

  /** To be called when there are no more reads. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#retire();
  }

  /** As {@link close}, but nothing of it is used again. */
  abandon(): void {
    this.#closed = true;
  }

  #retire(): void {
    if (!this.#lent.has(this.#filling.buffer)) giveBuffer(this.#filling);
  }
}
