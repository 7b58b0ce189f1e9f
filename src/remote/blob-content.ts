import { shortDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { type Content, type Sink, sizeMismatch } from '../registry/content.ts';
import type { OnWait } from '../registry/registry.ts';
import type { HttpBody, HttpResponse } from '../transport/http.ts';
import type { Retry } from '../transport/retry/retry.ts';
import { namedTimeout, tellAgain } from '../transport/waits.ts';
import { bodyAt, type Span } from './blob-span.ts';

const endedEarly = { message: 'the body ended early', status: undefined, endpoint: undefined };

interface BlobContentOptions {
  readonly descriptor: Descriptor;
  readonly span: Span;
  /** The body that is being read; it begins at `span.start`. */
  readonly first: HttpBody;
  /** Requests the blob again from a byte on; resolves with a 200 or 206. */
  readonly reopen: (start: number) => Promise<HttpResponse>;
  readonly retry: Retry;
  readonly onWait: OnWait | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * A blob's body that resumes by itself: when the connection is cut or falls silent, the rest is requested again. Any
 * progress resets the number of attempts.
 */
export class BlobContent implements Content {
  readonly descriptor: Descriptor;
  readonly #options: BlobContentOptions;
  #body: HttpBody;
  #position: number;
  #failures = 0;
  #cancelled = false;

  constructor(options: BlobContentOptions) {
    this.descriptor = options.descriptor;
    this.#options = options;
    this.#body = options.first;
    this.#position = options.span.start;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const reader = this.#body[Symbol.asyncIterator]();
        let failure: unknown;
        for (;;) {
          const next = await reader.next().catch((error: unknown) => {
            failure = error ?? new OciError('NETWORK', 'the body failed');
            return undefined;
          });
          if (!next || next.done) break;
          this.#take(next.value);
          yield next.value;
        }
        if (await this.#complete(failure)) return;
      }
    } finally {
      await this.cancel();
    }
  }

  async drainTo(sink: Sink, opts?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    let sinkFailed = false;
    const counting: Sink = {
      write: async (chunk) => {
        this.#options.signal?.throwIfAborted();
        this.#take(chunk);
        try {
          await sink.write(chunk);
        } catch (error) {
          sinkFailed = true;
          throw error;
        }
      },
    };
    try {
      for (;;) {
        let failure: unknown;
        try {
          await this.#body.drainTo(counting, opts);
        } catch (error) {
          if (sinkFailed) throw error;
          failure = error;
        }
        opts?.signal?.throwIfAborted();
        if (await this.#complete(failure, opts?.signal)) return;
      }
    } finally {
      await this.cancel();
    }
  }

  async cancel(): Promise<void> {
    this.#cancelled = true;
    await this.#body.cancel();
  }

  #take(chunk: Uint8Array): void {
    const { span, descriptor } = this.#options;
    this.#position += chunk.length;
    this.#failures = 0;
    // A body without end is stopped here, at the first byte too many.
    if (this.#position > span.end) throw sizeMismatch({ ...descriptor, size: span.end }, this.#position);
  }

  /** Called when a body has ended. True if everything was read; otherwise the next body is open, or it throws. */
  async #complete(failure: unknown, drainSignal?: AbortSignal): Promise<boolean> {
    const { span, descriptor, retry, onWait } = this.#options;
    const signal = drainSignal ?? this.#options.signal;
    this.#options.signal?.throwIfAborted();
    if (isOciError(failure, 'SIZE_MISMATCH')) throw failure;
    if (this.#position === span.end) return true;
    if (failure !== undefined && (!isOciError(failure, 'NETWORK', 'TIMEOUT') || this.#cancelled)) throw failure;
    for (;;) {
      this.#failures += 1;
      if (this.#failures >= retry.attempts) {
        if (failure === undefined) throw sizeMismatch({ ...descriptor, size: span.end }, this.#position);
        throw namedTimeout(failure, `blob ${shortDigest(descriptor.digest)}`, this.#failures);
      }
      tellAgain({ onWait }, isOciError(failure) ? failure : endedEarly, this.#failures);
      await retry.pause(this.#failures, { signal });
      try {
        this.#body = await this.#open();
        return false;
      } catch (error) {
        if (!isOciError(error, 'NETWORK', 'TIMEOUT')) throw error;
        // The transport has already waited out what it can.
        if (isOciError(error, 'NETWORK') && retry.outageMs > 0) throw error;
        failure = error;
      }
    }
  }

  async #open(): Promise<HttpBody> {
    const position = this.#position;
    const response = await this.#options.reopen(position);
    return bodyAt(response, { start: position, end: this.#options.span.end }, this.descriptor);
  }
}
