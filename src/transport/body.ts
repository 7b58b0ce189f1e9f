import { OciError } from '../model/errors.ts';
import { networkError } from './failures.ts';
import type { ByteSink, HttpBody } from './http.ts';
import { endpointOf } from './redact.ts';

/** What a body can do with its connection. */
interface BodySource {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
  /** Returns memory that was pushed, in pieces of any size. If absent, the reader keeps the memory. */
  done?(chunk: Uint8Array): void;
}

/** Bytes that may be queued for the reader. Beyond that the socket is paused. */
const highWaterBytes = 1024 * 1024;
/** The largest chunk for a sink. Copying many small chunks together costs less than writing each. */
const batchBytes = 1024 * 1024;
/** The rest of a body is read up to this size, so that its connection can be reused. */
const discardBytes = 256 * 1024;

/**
 * The body of a response: a bounded queue between the socket and a single reader. The network side calls `push`, `end`
 * and `fail`; all other methods are for the reader.
 */
export class ResponseBody implements HttpBody {
  readonly #source: BodySource;
  readonly #url: URL;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #paused = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #settled: (() => void) | undefined;

  /** @param settled Called once, when the reader has everything or gets no more. */
  constructor(source: BodySource, url: URL, settled: () => void) {
    this.#source = source;
    this.#url = url;
    this.#settled = settled;
  }

  /** Whether the reader is waiting for the server. */
  get starved(): boolean {
    return this.#wake !== undefined && this.#queue.length === 0;
  }

  push(chunk: Uint8Array): void {
    if (this.#failure) {
      this.#source.done?.(chunk);
      return;
    }
    const last = this.#source.done && this.#queue.at(-1);
    if (last && last.buffer === chunk.buffer && last.byteOffset + last.length === chunk.byteOffset) {
      // Consecutive reads into one buffer are joined to one chunk.
      this.#queue[this.#queue.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + chunk.length);
    } else this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= highWaterBytes && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#notify();
  }

  end(): void {
    this.#ended = true;
    if (this.#queue.length === 0) this.#settle();
    this.#notify();
  }

  /** Ends the body with a network error. Data that arrived before can still be read. */
  fail(reason: unknown): void {
    if (this.#ended || this.#failure) return;
    this.#failure = { error: networkError(reason, this.#url) };
    this.#settle();
  }

  /** Ends the reading at once with the reason of a signal. */
  abort(reason: unknown): void {
    if (this.#failure) return;
    this.#drop();
    const live = !this.#ended;
    this.#failure = { error: reason };
    this.#settle();
    if (live) this.#source.abort(reason instanceof Error ? reason : new Error('aborted', { cause: reason }));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      while (await this.#filled()) {
        const chunk = this.#queue.shift() as Uint8Array;
        this.#took(chunk.length);
        const own = this.#source.done ? Uint8Array.from(chunk) : chunk;
        this.#source.done?.(chunk);
        yield own;
      }
    } finally {
      await this.cancel();
    }
  }

  async drainTo(sink: ByteSink, opts?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const signal = opts?.signal;
    const onAbort = () => this.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', onAbort, { once: true });
    const gathered: { buffer?: Uint8Array } = {};
    try {
      while (await this.#filled()) {
        const chunk = this.#takeBatch(gathered);
        try {
          await sink.write(chunk);
        } finally {
          this.#source.done?.(chunk);
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await this.cancel();
    }
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new OciError('TOO_LARGE', `the answer of ${this.#url.host} is longer than ${maxBytes} bytes`, {
          endpoint: endpointOf(this.#url),
        });
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }

  async discard(): Promise<void> {
    let size = 0;
    try {
      for await (const chunk of this) {
        size += chunk.length;
        if (size > discardBytes) break;
      }
    } catch {
      // The caller does not need the rest, nor its error.
    }
  }

  async cancel(): Promise<void> {
    if (!this.#failure && !this.#ended) this.abort(new OciError('CANCELLED', 'the body was cancelled'));
    this.#drop();
    this.#settle();
  }

  /** Waits for data; false at the end. */
  async #filled(): Promise<boolean> {
    while (this.#queue.length === 0) {
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return true;
  }

  #takeBatch(gathered: { buffer?: Uint8Array }): Uint8Array {
    const first = this.#queue[0] as Uint8Array;
    if (this.#source.done || this.#queue.length === 1 || first.length >= batchBytes / 2) {
      this.#queue.shift();
      this.#took(first.length);
      return first;
    }
    gathered.buffer ??= new Uint8Array(batchBytes);
    let length = 0;
    let count = 0;
    for (const chunk of this.#queue) {
      if (length + chunk.length > batchBytes) break;
      gathered.buffer.set(chunk, length);
      length += chunk.length;
      count += 1;
    }
    this.#queue.splice(0, count);
    this.#took(length);
    return gathered.buffer.subarray(0, length);
  }

  #took(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (this.#paused && this.#queuedBytes < highWaterBytes / 2 && !this.#failure) {
      this.#paused = false;
      this.#source.resume();
    }
    if (this.#ended && this.#queue.length === 0) this.#settle();
  }

  #drop(): void {
    for (const chunk of this.#queue) this.#source.done?.(chunk);
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #settle(): void {
    this.#settled?.();
    this.#settled = undefined;
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** A body from memory. */
export function bytesBody(bytes: Uint8Array): HttpBody {
  let rest: Uint8Array[] = bytes.length === 0 ? [] : [bytes];
  const take = (): Uint8Array[] => {
    const taken = rest;
    rest = [];
    return taken;
  };
  return {
    async *[Symbol.asyncIterator]() {
      yield* take();
    },
    async drainTo(sink) {
      for (const chunk of take()) await sink.write(chunk);
    },
    async bytes(maxBytes) {
      if (bytes.length > maxBytes) throw new OciError('TOO_LARGE', `the answer is longer than ${maxBytes} bytes`);
      return take()[0] ?? new Uint8Array(0);
    },
    async discard() {
      take();
    },
    async cancel() {
      take();
    },
  };
}
