import { bufferBytes, giveBuffer, takeBuffer } from '../../files/buffers.ts';

/** A read into less room than this is not worth the system call. */
const leastRoom = 64 * 1024;

/**
 * The buffers of a connection that had small answers so far. Many have no others, and V8 collects garbage the earlier the more
 * buffers there are.
 */
const smallBytes = 32 * 1024;
const leastRoomInSmall = 4 * 1024;
/** After a read of this size more will come. */
const largeRead = smallBytes / 2;

/**
 * The memory for the reads of one connection: buffers that are filled one after the other. What was read is lent to the
 * reader. A buffer is reused once everything that was lent of it has been returned.
 */
export class ReadMemory {
  #filling = smallBuffer();
  #filled = 0;
  #lastBytes = 0;
  /** Whether the last read left no room: more has probably arrived already. */
  #isFull = false;
  /** Bytes that are lent out of each buffer. */
  readonly #lent = new Map<ArrayBuffer, { readonly whole: Uint8Array<ArrayBuffer>; bytes: number }>();
  #closed = false;

  /** Room for the next read. */
  room(): Uint8Array<ArrayBuffer> {
    if (!this.#lent.has(this.#filling.buffer)) this.#filled = 0;
    const isSmall = this.#filling.length < bufferBytes;
    const least = isSmall ? leastRoomInSmall : leastRoom;
    if ((this.#isFull || this.#filling.length - this.#filled < least) && !this.#closed) {
      this.#retire();
      // Small answers use a buffer up too, as one may still be in use when the next one arrives.
      this.#filling = isSmall && this.#lastBytes < largeRead ? smallBuffer() : takeBuffer();
      this.#filled = 0;
      this.#isFull = false;
    }
    return this.#filling.subarray(this.#filled);
  }

  /** Lends the bytes that were just read. */
  lend(bytes: number): Uint8Array<ArrayBuffer> {
    const chunk = this.#filling.subarray(this.#filled, this.#filled + bytes);
    this.#filled += bytes;
    this.#lastBytes = bytes;
    this.#isFull = this.#filled === this.#filling.length;
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

function smallBuffer(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(smallBytes).buffer);
}
