import { OciError } from '../../model/errors.ts';
import type { ByteSink, HttpBody } from '../../transport/http.ts';
import type { Span } from '../blob-span.ts';

/** At most this is given to a sink at once. */
const pieceBytes = 1024 * 1024;

/** A part of a blob that is fetched into memory, beside what is read before it. */
export class Part {
  readonly span: Span;
  /** How many bytes have arrived. */
  received = 0;
  /** Why it will not arrive, or not whole. */
  failure: { readonly reason: unknown } | undefined;
  /** What it is read into. */
  readonly memory: Uint8Array;
  readonly #stop = new AbortController();
  #wake: () => void = () => {};

  /** @param memory For its bytes; free again when it was drained. */
  constructor(span: Span, memory: Uint8Array, open: (span: Span, signal: AbortSignal) => Promise<HttpBody>) {
    this.span = span;
    this.memory = memory;
    this.#fetch(open).catch((reason: unknown) => {
      this.failure = { reason };
      this.#wake();
    });
  }

  get size(): number {
    return this.span.end - this.span.start;
  }

  /** Writes its bytes as they arrive. @throws the reason why it does not arrive; what the sink throws */
  async drainTo(sink: ByteSink): Promise<void> {
    let written = 0;
    while (written < this.size) {
      const end = Math.min(this.received, written + pieceBytes);
      if (end > written) {
        await sink.write(this.memory.subarray(written, end));
        written = end;
      } else if (this.failure) throw this.failure.reason;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  cancel(): void {
    this.#stop.abort(new OciError('CANCELLED', 'this part is not needed any more'));
  }

  async #fetch(open: (span: Span, signal: AbortSignal) => Promise<HttpBody>): Promise<void> {
    const { signal } = this.#stop;
    const body = await open(this.span, signal);
    await body.drainTo(
      {
        write: async (chunk) => {
          if (this.received + chunk.length > this.size) throw tooMuch(this.span);
          this.memory.set(chunk, this.received);
          this.received += chunk.length;
          this.#wake();
        },
      },
      { signal },
    );
    if (this.received < this.size) throw new OciError('NETWORK', 'the body ended early');
  }
}

function tooMuch({ start, end }: Span): OciError {
  return new OciError('PROTOCOL', `more bytes came than bytes ${start} to ${end} of a blob`);
}
