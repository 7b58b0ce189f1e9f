import type { Descriptor } from '../model/descriptor.ts';
import { type BlobSource, type Content, sizeMismatch } from '../registry/content.ts';

const pieceBytes = 256 * 1024;

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

  constructor(descriptor: Descriptor, source: BlobSource, signal: AbortSignal | undefined) {
    this.#descriptor = descriptor;
    this.#source = source;
    this.#signal = signal;
  }

  /**
   * The bytes from `offset` to the end, in pieces of their own memory.
   *
   * @param bytes Size of every piece but the last.
   * @throws OciError while iterating: SIZE_MISMATCH, before the last piece, when the source is longer or shorter.
   */
  async *pieces(offset: number, bytes = pieceBytes): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#descriptor;
    // Only the commit is left, and no source opens behind its end.
    if (offset === size && size > 0) return;
    try {
      const content = await this.#next(offset);
      let seen = offset;
      let piece = Buffer.allocUnsafe(Math.min(bytes, size - offset));
      let filled = 0;
      for await (const chunk of content) {
        seen += chunk.length;
        if (seen > size) throw sizeMismatch(this.#descriptor, seen);
        for (let at = 0; at < chunk.length; ) {
          // A full piece waits for the byte behind it: the last one goes only when the size is known to be right.
          if (filled === piece.length) {
            yield piece;
            piece = Buffer.allocUnsafe(Math.min(bytes, size - (seen - chunk.length) - at));
            filled = 0;
          }
          const part = chunk.subarray(at, at + piece.length - filled);
          piece.set(part, filled);
          filled += part.length;
          at += part.length;
        }
      }
      if (seen !== size) throw sizeMismatch(this.#descriptor, seen);
      if (filled > 0) yield piece.subarray(0, filled);
    } catch (error) {
      this.failure ??= { error };
      throw error;
    } finally {
      this.close();
    }
  }

  /** Gives up what is open. Does not wait: a source may hang, and its reader has gone. */
  close(): void {
    void this.#open?.cancel().catch(() => {});
    this.#open = undefined;
  }

  async #next(offset: number): Promise<Content> {
    this.close();
    this.#open = await this.#source.open(offset, { signal: this.#signal });
    return this.#open;
  }
}
