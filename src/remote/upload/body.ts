import { getDefaultHighWaterMark } from 'node:stream';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, type Content, type Sink, sizeMismatch } from '../../registry/content.ts';

/**
 * Pieces of at least this size have left the socket's queue when the next one is requested; smaller ones may still wait
 * there.
 */
const lentBytes = Math.max(64 * 1024, getDefaultHighWaterMark(false));

/**
 * Opens a blob's source for one request after another, and records whether the source itself failed: then retrying is
 * useless.
 */
export class UploadSource {
  /** The error of the source. */
  failure: { readonly error: unknown } | undefined;
  readonly #descriptor: Descriptor;
  readonly #source: BlobSource;
  readonly #signal: AbortSignal | undefined;
  #open: Content | undefined;
  /** Offset of the end of the last chunk. */
  #seen = 0;
  /** The number of the request that reads now. An earlier request that was answered early may still be sending. */
  #turn = 0;

  constructor(descriptor: Descriptor, source: BlobSource, signal: AbortSignal | undefined) {
    this.#descriptor = descriptor;
    this.#source = source;
    this.#signal = signal;
  }

  /** Resolves when the source may be read. */
  async ready(): Promise<void> {
    await this.#source.ready?.({ signal: this.#signal });
  }

  /**
   * All bytes, as the source lends them: a large piece is valid until the next one is requested, a small one permanently.
   *
   * @throws OciError while iterating: SIZE_MISMATCH, before the last piece, if the source is longer or shorter.
   */
  async *whole(): AsyncGenerator<Uint8Array, void, undefined> {
    let last: Uint8Array | undefined;
    for await (const chunk of this.#from(0)) {
      // The last piece is held back until the end of the source confirms the size.
      last = this.#seen === this.#descriptor.size ? Uint8Array.from(chunk.subarray(-lentBytes)) : undefined;
      const piece = chunk.subarray(0, chunk.length - (last?.length ?? 0));
      if (piece.length > 0) yield piece.length >= lentBytes ? piece : Uint8Array.from(piece);
    }
    if (last) yield last;
  }

  /**
   * The bytes from `offset` to the end, in pieces with memory of their own.
   *
   * @param bytes Size of every piece except the last.
   * @throws OciError while iterating: SIZE_MISMATCH, before the last piece, if the source is longer or shorter.
   */
  async *pieces(offset: number, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#descriptor;
    // Only the commit is left, and sources cannot be opened at their end.
    if (offset === size && size > 0) return;
    let piece = Buffer.allocUnsafe(Math.min(bytes, size - offset));
    let filled = 0;
    for await (const chunk of this.#from(offset)) {
      for (let at = 0; at < chunk.length; ) {
        if (filled === piece.length) {
          yield piece;
          piece = Buffer.allocUnsafe(Math.min(bytes, size - (this.#seen - chunk.length) - at));
          filled = 0;
        }
        const part = chunk.subarray(at, at + piece.length - filled);
        piece.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    }
    if (filled > 0) yield piece.subarray(0, filled);
  }

  /** Cancels the open source. It does not wait, because a source may hang. */
  close(): void {
    void this.#open?.cancel().catch(() => {});
    this.#open = undefined;
  }

  /** The source's chunks. Its size is checked at the end. */
  async *#from(offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#descriptor;
    this.close();
    this.#turn += 1;
    const turn = this.#turn;
    try {
      this.#seen = offset;
      this.#open = await this.#source.open(offset, { signal: this.#signal });
      for await (const chunk of drained(this.#open)) {
        if (turn !== this.#turn) return;
        this.#seen += chunk.length;
        if (this.#seen > size) throw sizeMismatch(this.#descriptor, this.#seen);
        if (chunk.length > 0) yield chunk;
      }
      if (turn === this.#turn && this.#seen !== size) throw sizeMismatch(this.#descriptor, this.#seen);
    } catch (error) {
      if (turn === this.#turn) this.failure ??= { error };
      throw error;
    } finally {
      if (turn === this.#turn) this.close();
    }
  }
}

/**
 * The chunks of content that is drained, which costs the least memory. A chunk is valid until the next one is requested.
 */
async function* drained(content: Content): AsyncGenerator<Uint8Array, void, undefined> {
  let arrive: (chunk?: Uint8Array) => void;
  let release = (): void => {};
  let abandoned = false;
  const next = () =>
    new Promise<Uint8Array | undefined>((resolve) => {
      arrive = resolve;
    });
  let arriving = next();
  const sink: Sink = {
    async write(chunk) {
      await new Promise<void>((resolve) => {
        release = resolve;
        arrive(chunk);
      });
      if (abandoned) throw new OciError('CANCELLED', 'the upload was cancelled');
    },
  };
  const end = content.drainTo(sink).finally(() => arrive());
  end.catch(() => {}); // reported below, unless the reader stops first
  try {
    for (let chunk = await arriving; chunk; chunk = await arriving) {
      arriving = next();
      yield chunk;
      release();
    }
    await end;
  } finally {
    abandoned = true;
    release();
  }
}
