import { getDefaultHighWaterMark } from 'node:stream';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { type BlobSource, type Content, type Sink, sizeMismatch } from '../registry/content.ts';

/** A piece from this size on has left the socket's queue when the next one is asked for; smaller ones may wait there. */
const lentBytes = Math.max(64 * 1024, getDefaultHighWaterMark(false));

/**
 * Opens a blob's source for one request after another, and remembers whether it was the source that failed: that is no
 * reason to try again.
 */
export class UploadSource {
  /** What the source threw. */
  failure: { readonly error: unknown } | undefined;
  readonly #descriptor: Descriptor;
  readonly #source: BlobSource;
  readonly #signal: AbortSignal | undefined;
  #open: Content | undefined;
  /** Bytes up to the end of the last chunk. */
  #seen = 0;
  /** The request that reads now. One before, which was answered before it was sent, may still be on its way out. */
  #turn = 0;

  constructor(descriptor: Descriptor, source: BlobSource, signal: AbortSignal | undefined) {
    this.#descriptor = descriptor;
    this.#source = source;
    this.#signal = signal;
  }

  /**
   * All bytes, as the source lends them: a large piece is there until the next is asked for, a small one for good.
   *
   * @throws OciError while iterating: SIZE_MISMATCH, before the last piece, when the source is longer or shorter.
   */
  async *whole(): AsyncGenerator<Uint8Array, void, undefined> {
    let last: Uint8Array | undefined;
    for await (const chunk of this.#from(0)) {
      // The last piece waits for the byte behind it: it goes only when the size is known to be right.
      last = this.#seen === this.#descriptor.size ? Uint8Array.from(chunk.subarray(-lentBytes)) : undefined;
      const piece = chunk.subarray(0, chunk.length - (last?.length ?? 0));
      if (piece.length > 0) yield piece.length >= lentBytes ? piece : Uint8Array.from(piece);
    }
    if (last) yield last;
  }

  /**
   * The bytes from `offset` to the end, in pieces of their own memory.
   *
   * @param bytes Size of every piece but the last.
   * @throws OciError while iterating: SIZE_MISMATCH, before the last piece, when the source is longer or shorter.
   */
  async *pieces(offset: number, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#descriptor;
    // Only the commit is left, and no source opens behind its end.
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

  /** Gives up what is open. Does not wait: a source may hang, and its reader has gone. */
  close(): void {
    void this.#open?.cancel().catch(() => {});
    this.#open = undefined;
  }

  /** The source's chunks, whose end comes only where it belongs. */
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

/** What content writes when it is drained, whose memory costs least. A chunk is the reader's until it asks for the next. */
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
      if (abandoned) throw new OciError('CANCELLED', 'the upload was given up');
    },
  };
  const end = content.drainTo(sink).finally(() => arrive());
  end.catch(() => {}); // reported below, unless its reader gives up first
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
