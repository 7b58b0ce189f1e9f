import { isOciError } from '../../model/errors.ts';
import type { ByteSink, HttpBody } from '../../transport/http.ts';
import type { Span } from '../blob-span.ts';
import { Pace } from './pace.ts';
import { Part } from './part.ts';

/** Each part is in memory until what precedes it was read. */
const partBytes = 4 * 1024 * 1024;
/** How many connections read large blobs at once, by which each blob has a share. Other clients have 3 to 6. */
const mostConnections = 4;
/** Less than this is over before another connection brings something. */
const leastRest = 3 * partBytes;
const windowMs = 500;
/** Faster connections are not what limits a read: hashing and writing are. */
const fastBytesPerMs = 40_000;
/** How much faster two connections have to be than one. */
const worthwhile = 1.3;

/** Large blobs that this process reads. */
let reading = 0;

interface ParallelOptions {
  /** Begins at the start of the span. */
  readonly body: HttpBody;
  readonly span: Span;
  /** Requests a part of the blob. Rejects unless the answer is that part alone. */
  readonly openPart: (span: Span, signal: AbortSignal) => Promise<HttpBody>;
  /** Requests the rest from a byte on. */
  readonly openRest: (start: number) => Promise<HttpBody>;
  /** Whether several connections were faster, if that was tried for another blob. */
  readonly verdict: { pays?: boolean };
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

/** What a sink is stopped with where another connection has begun to read. */
const met = Symbol('met');

/**
 * The body of a large blob that is drained over several connections where that is faster: a registry may limit each
 * connection. After a second at a steady and moderate rate, the next part but one is requested over another connection. If
 * both together are faster than one was, all that follows comes in parts over several connections, and is passed on in
 * order. If not, one connection goes on. Whatever goes wrong with a part, one connection goes on from there.
 */
export class ParallelBody implements HttpBody {
  readonly #options: ParallelOptions;
  #body: HttpBody;
  #position: number;
  #parts: Part[] = [];
  readonly #memory: Uint8Array[] = [];

  constructor(options: ParallelOptions) {
    this.#options = options;
    this.#body = options.body;
    this.#position = options.span.start;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#body[Symbol.asyncIterator]();
  }

  async drainTo(sink: ByteSink, opts: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    let sinkFailed = false;
    const counting: ByteSink = {
      write: async (chunk) => {
        opts.signal?.throwIfAborted();
        try {
          await sink.write(chunk);
        } catch (error) {
          sinkFailed = true;
          throw error;
        }
        this.#position += chunk.length;
      },
    };
    const onAbort = (): void => this.#endParts();
    opts.signal?.addEventListener('abort', onAbort);
    reading += 1;
    try {
      if (!(await this.#readAlone(counting, opts))) return;
      await this.#readParts(counting);
    } catch (error) {
      opts.signal?.throwIfAborted();
      if (sinkFailed || this.#parts.length === 0 || isOciError(error, 'CANCELLED')) throw error;
      this.#endParts();
      await this.#readRest(counting, opts);
    } finally {
      reading -= 1;
      opts.signal?.removeEventListener('abort', onAbort);
      this.#endParts();
    }
  }

  bytes(maxBytes: number): Promise<Uint8Array> {
    return this.#body.bytes(maxBytes);
  }

  discard(): Promise<void> {
    return this.#body.discard();
  }

  async cancel(): Promise<void> {
    this.#endParts();
    await this.#body.cancel();
  }

  /** Reads over one connection. @returns Whether it has come to where a part begins that is worth more of them. */
  async #readAlone(sink: ByteSink, opts: { readonly signal?: AbortSignal | undefined }): Promise<boolean> {
    const { span, now, verdict } = this.#options;
    // What the sink takes is no time of the connection's.
    let sinkMs = 0;
    const readingMs = (): number => now() - sinkMs;
    const pace = new Pace(readingMs(), windowMs);
    let trial:
      | { readonly part: Part; readonly alone: number; readonly from: number; readonly sinceMs: number }
      | undefined;
    let tried = verdict.pays === false;
    const watching: ByteSink = {
      write: async (chunk) => {
        const isMet = trial && this.#position + chunk.length >= trial.part.span.start;
        // A host that lets a second connection wait would let the blob wait too.
        const isLate = isMet && trial?.part.received === 0;
        if (isLate) verdict.pays = false;
        if (isLate || trial?.part.failure) {
          this.#endParts();
          trial = undefined;
        }
        const until = trial?.part.span.start ?? span.end;
        // A body that is too long is not cut here.
        const own = trial ? chunk.subarray(0, until - this.#position) : chunk;
        const before = now();
        await sink.write(own);
        sinkMs += now() - before;
        if (trial && this.#position === until) throw met;
        pace.moved(own.length, readingMs());
        const alone = pace.bytesPerMs;
        const rest = span.end - this.#position;
        if (tried || alone === undefined || alone > fastBytesPerMs || rest < leastRest || share() < 2) return;
        tried = true;
        const part = this.#begin(this.#position + partBytes);
        trial = { part, alone, from: this.#position, sinceMs: readingMs() };
      },
    };
    try {
      await this.#body.drainTo(watching, opts);
      return false;
    } catch (error) {
      if (error !== met || !trial) throw error;
    }
    const { part, alone, from, sinceMs } = trial;
    const together = (this.#position - from + part.received) / Math.max(1, readingMs() - sinceMs);
    await this.#body.cancel();
    const pays = together >= alone * worthwhile;
    verdict.pays = pays;
    if (pays) return true;
    await this.#readRest(sink, opts, part);
    return false;
  }

  /** Reads the part that has begun and all that follow, several at once. */
  async #readParts(sink: ByteSink): Promise<void> {
    const { span } = this.#options;
    for (;;) {
      for (let last = this.#parts.at(-1); this.#parts.length < share(); last = this.#parts.at(-1)) {
        const start = last?.span.end ?? this.#position;
        if (start >= span.end) break;
        this.#begin(start);
      }
      if (this.#parts.length === 0) return;
      await this.#drain(sink);
    }
  }

  /** Reads over one connection again. @param first What is read before. */
  async #readRest(sink: ByteSink, opts: { readonly signal?: AbortSignal | undefined }, first?: Part): Promise<void> {
    const { span, openRest } = this.#options;
    const start = first?.span.end ?? this.#position;
    // What is here already is written while the answer is awaited.
    const ahead = first?.received === first?.size && start < span.end ? openRest(start) : undefined;
    ahead?.catch(() => {}); // reported below
    try {
      if (first) await this.#drain(sink);
    } catch (error) {
      await ahead?.then((body) => body.cancel()).catch(() => {});
      throw error;
    }
    if (this.#position === span.end) return;
    this.#body = await (ahead ?? openRest(this.#position));
    await this.#body.drainTo(sink, opts);
  }

  #begin(start: number): Part {
    const span = { start, end: Math.min(start + partBytes, this.#options.span.end) };
    const memory = this.#memory.pop() ?? Buffer.allocUnsafeSlow(partBytes);
    const part = new Part(span, memory, this.#options.openPart);
    this.#parts.push(part);
    return part;
  }

  /** Writes the first part, and gives its memory back. */
  async #drain(sink: ByteSink): Promise<void> {
    const [part] = this.#parts;
    await part?.drainTo(sink);
    this.#parts.shift();
    if (part) this.#memory.push(part.memory);
  }

  #endParts(): void {
    for (const part of this.#parts) part.cancel();
    this.#parts = [];
  }
}

/** How many connections a blob may have. */
function share(): number {
  return Math.max(1, Math.floor(mostConnections / Math.max(1, reading)));
}
