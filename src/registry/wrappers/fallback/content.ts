import type { Content, Sink } from '../../content.ts';
import { isBrokenBody } from './attempts.ts';

/** Opens the rest of a broken body, from this byte of the blob on. Rejects if no endpoint can serve it. */
type Continue = (error: unknown, nextByte: number) => Promise<Content>;

/**
 * Content that continues from another endpoint if its body breaks and cannot be resumed.
 *
 * @param first Begins at byte `start`, and ends before `end`.
 */
export function continuedContent(
  first: Content,
  range: { readonly start: number; readonly end: number },
  goOn: Continue,
): Content {
  let content = first;
  let position = range.start;
  const takeOver = async (error: unknown): Promise<'whole' | 'continued'> => {
    await content.cancel();
    if (!isBrokenBody(error)) throw error;
    // All bytes had arrived: only the end of the body was broken.
    if (position >= range.end) return 'whole';
    content = await goOn(error, position);
    return 'continued';
  };
  return {
    descriptor: first.descriptor,
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const chunks = content[Symbol.asyncIterator]();
        try {
          for (;;) {
            const next = await chunks.next().catch(async (error: unknown) => await takeOver(error));
            if (next === 'continued') break;
            if (next === 'whole' || next.done) return;
            position += next.value.length;
            yield next.value;
          }
        } finally {
          await chunks.return?.();
        }
      }
    },
    async drainTo(sink, opts) {
      for (;;) {
        const counting = new CountingSink(sink, (bytes) => {
          position += bytes;
        });
        try {
          return await content.drainTo(counting, opts);
        } catch (error) {
          // The sink failed: another endpoint would not help.
          if (counting.failed || opts?.signal?.aborted) throw error;
          if ((await takeOver(error)) === 'whole') return;
        }
      }
    },
    cancel: () => content.cancel(),
  };
}

class CountingSink implements Sink {
  failed = false;
  readonly #sink: Sink;
  readonly #count: (bytes: number) => void;

  constructor(sink: Sink, count: (bytes: number) => void) {
    this.#sink = sink;
    this.#count = count;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#sink.write(chunk);
    } catch (error) {
      this.failed = true;
      throw error;
    }
    this.#count(chunk.length);
  }
}
