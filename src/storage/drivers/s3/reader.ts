import { isOciError, OciError } from '../../../model/errors.ts';
import type { ByteRange } from '../../../registry/registry.ts';
import type { ObjectReader, StorePath } from '../../driver.ts';
import type { S3Client, S3Object } from './client.ts';
import { connectionFailure } from './failures.ts';

type Opened = NonNullable<Awaited<ReturnType<S3Client['open']>>>;

/** How often a body that breaks is continued without a byte in between. */
const maxBreaks = 3;

/**
 * Opens an object. If the connection breaks, reading goes on where it was, as long as the object is the same.
 *
 * @returns Undefined if there is none.
 */
export async function openReader(
  client: S3Client,
  path: StorePath,
  range: ByteRange | undefined,
): Promise<ObjectReader | undefined> {
  if (range !== undefined && (range.end ?? Number.POSITIVE_INFINITY) <= range.start)
    return await openEmpty(client, path);
  try {
    const wanted = range !== undefined && (range.start > 0 || range.end !== undefined) ? range : undefined;
    const opened = await client.open(path, { range: wanted });
    return opened && new S3Reader(client, path, opened, range);
  } catch (error) {
    // The range may begin where the object ends.
    if (range === undefined || !isOciError(error, 'RANGE_INVALID')) throw error;
    return await openEmpty(client, path);
  }
}

async function openEmpty(client: S3Client, path: StorePath): Promise<ObjectReader | undefined> {
  const found = await client.head(path);
  return found && { size: found.size, read: async () => 0, async close() {} };
}

type Sink = Parameters<NonNullable<ObjectReader['drainTo']>>[0];

interface Waiting {
  readonly chunk: Uint8Array;
  taken: number;
  readonly done: () => void;
}

class S3Reader implements ObjectReader {
  readonly size: number;
  readonly #client: S3Client;
  readonly #path: StorePath;
  readonly #object: S3Object;
  readonly #end: number;
  #position: number;
  #body: Opened['body'];
  #chunk: Waiting | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #breaks = 0;
  #started = false;
  #closed = false;

  constructor(client: S3Client, path: StorePath, { body, ...object }: Opened, range: ByteRange | undefined) {
    this.#client = client;
    this.#path = path;
    this.#object = object;
    this.#body = body;
    this.size = object.size;
    this.#position = range?.start ?? 0;
    this.#end = Math.min(range?.end ?? object.size, object.size);
  }

  async read(into: Uint8Array): Promise<number> {
    const wanted = Math.min(into.length, this.#end - this.#position);
    if (wanted <= 0 || this.#closed) return 0;
    if (!this.#started) this.#drain();
    let filled = 0;
    while (filled < wanted) {
      if (this.#chunk === undefined) {
        // What is there already is returned, before more is waited for.
        if (filled > 0 || this.#closed) break;
        if (this.#failure !== undefined) await this.#continue(this.#failure.error);
        else await this.#next();
        continue;
      }
      const { chunk, taken } = this.#chunk;
      const part = chunk.subarray(taken, taken + wanted - filled);
      into.set(part, filled);
      filled += part.length;
      this.#position += part.length;
      this.#chunk.taken += part.length;
      if (this.#chunk.taken === chunk.length) this.#release();
    }
    this.#breaks = 0;
    return filled;
  }

  async drainTo(sink: Sink): Promise<void> {
    this.#started = true;
    let refusal: { readonly error: unknown } | undefined;
    const counted: Sink = {
      write: async (chunk) => {
        const piece = chunk.subarray(0, this.#end - this.#position);
        await sink.write(piece).catch((error: unknown) => {
          refusal = { error };
          throw error;
        });
        this.#position += piece.length;
        this.#breaks = 0;
      },
    };
    while (this.#position < this.#end && !this.#closed) {
      const failure = await this.#body.drainTo(counted).then(tooEarly, (error: unknown) => error);
      if (refusal !== undefined) throw refusal.error;
      if (this.#position < this.#end && !this.#closed) await this.#reopen(failure);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    if (this.#position < this.#end || !this.#started) await this.#body.cancel();
  }

  // The chunks are the connection's own memory, which is used again when the promise of a write has resolved.
  #drain(): void {
    this.#started = true;
    this.#failure = undefined;
    const body = this.#body;
    const sink = {
      write: (chunk: Uint8Array): Promise<void> => {
        if (this.#closed || chunk.length === 0) return Promise.resolve();
        return new Promise((done) => {
          this.#chunk = { chunk, taken: 0, done };
          this.#notify();
        });
      },
    };
    body.drainTo(sink).then(
      () => this.#fail(tooEarly()),
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#notify();
  }

  async #next(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async #continue(cause: unknown): Promise<void> {
    await this.#reopen(cause);
    if (!this.#closed) this.#drain();
  }

  async #reopen(cause: unknown): Promise<void> {
    const failure = connectionFailure(cause, { store: this.#client.connection.name, action: `read ${this.#path}` });
    this.#breaks += 1;
    if (!isOciError(failure, 'UNAVAILABLE') || this.#breaks > maxBreaks) throw failure;
    await this.#client.connection.pause(this.#breaks);
    const range = { start: this.#position, end: this.#end };
    const opened = await this.#client.open(this.#path, { range, ifMatch: this.#object.etag });
    if (opened === undefined) {
      const text = `${this.#client.connection.name}/${this.#path} was replaced or deleted while it was read`;
      throw new OciError('STORAGE', text, { cause: failure, retryable: true });
    }
    if (this.#closed) return await opened.body.cancel();
    this.#body = opened.body;
  }

  #release(): void {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    chunk?.done();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function tooEarly(): OciError {
  return new OciError('NETWORK', 'the answer ended too early');
}
