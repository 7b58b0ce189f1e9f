import { bufferBytes, giveBuffer, takeBuffer } from '../files/buffers.ts';

/** Less room than this is not worth a system call. */
const leastRoom = 64 * 1024;

/**
 * Where one connection reads to: a buffer after the other, filled from front to back. What was read is lent to a reader,
 * and a buffer goes back when all that was lent of it has been returned.
 */
export class BulkMemory {
  #filling: Uint8Array<ArrayBuffer> = takeBuffer();
  #filled = 0;
  /** Bytes lent out of each buffer. */
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

  /** Lends what was just read into the room. */
  lend(bytes: number): Uint8Array<ArrayBuffer> {
    const chunk = this.#filling.subarray(this.#filled, this.#filled + bytes);
    this.#filled += bytes;
    const lent = this.#lent.get(chunk.buffer);
    if (lent) lent.bytes += bytes;
    else this.#lent.set(chunk.buffer, { whole: this.#filling, bytes });
    return chunk;
  }

  /** Takes back what was lent, in pieces of any size. */
  take({ buffer, length }: Uint8Array): void {
    const lent = this.#lent.get(buffer as ArrayBuffer);
    if (!lent) return;
    lent.bytes -= length;
    if (lent.bytes > 0) return;
    this.#lent.delete(lent.whole.buffer);
    if (lent.whole !== this.#filling || this.#closed) giveBuffer(lent.whole);
  }

  /** Nothing is read any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#retire();
  }

  #retire(): void {
    if (!this.#lent.has(this.#filling.buffer)) giveBuffer(this.#filling);
  }
}
