import { type Digest, type DigestAlgorithm, digestAlgorithm } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { blobDescriptor, digestMismatch } from './content.ts';
import type { BlobWriter, SignalOption } from './registry.ts';

/** The bytes of an upload session, which a store or layout keeps. While open, only one writer uses them. */
export interface UploadBytes {
  /** What messages call the place that keeps them. */
  readonly keeper: 'registry' | 'layout';
  /** Number of bytes, including those not stored yet. */
  readonly size: number;
  readonly isOpen: boolean;
  /** Opens them, however many there are by now. @throws OciError BLOB_UPLOAD_UNKNOWN if they are gone. */
  open(): Promise<void>;
  write(chunk: Uint8Array): Promise<void>;
  digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest>;
  /** Stores them as the blob with this digest. The caller has checked that they have it. */
  place(digest: Digest): Promise<void>;
  /** Closes them and keeps them for the next writer. */
  rest(): Promise<void>;
  /** Closes them and removes what remains. */
  end(): Promise<void>;
  /** The error for a session whose bytes are gone. */
  unknown(): OciError;
}

/**
 * An upload session in this process. Its operations run one after the other. If there are several writers, a writer
 * takes the bytes over when it writes.
 */
export class UploadSession<Bytes extends UploadBytes = UploadBytes> {
  readonly id: string;
  readonly startedAt: Date;
  readonly bytes: Bytes;
  #turn: Promise<unknown> = Promise.resolve();
  #owner: object | undefined;
  #ended = false;

  constructor(id: string, startedAt: Date, bytes: Bytes) {
    this.id = id;
    this.startedAt = startedAt;
    this.bytes = bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async write(owner: object, offset: number, chunk: Uint8Array): Promise<void> {
    await this.inTurn(async () => {
      await this.#take(owner, offset);
      await this.#orRest(() => this.bytes.write(chunk));
    });
  }

  /**
   * @returns Number of bytes of the blob.
   * @throws OciError SIZE_MISMATCH, DIGEST_MISMATCH: the session has ended. After any other error it can be continued.
   */
  async commit(
    owner: object,
    offset: number,
    { digest, size }: { readonly digest: Digest; readonly size?: number | undefined },
    opts?: SignalOption,
  ): Promise<number> {
    return await this.inTurn(async () => {
      await this.#take(owner, offset);
      const total = this.bytes.size;
      if (size !== undefined && size !== total) {
        await this.#end();
        throw new OciError('SIZE_MISMATCH', `the upload has ${total} bytes, not the ${size} announced`);
      }
      const got = await this.#orRest(() => this.bytes.digest(digestAlgorithm(digest), opts));
      if (got !== digest) {
        await this.#end();
        throw digestMismatch(digest, got);
      }
      await this.#orRest(() => this.bytes.place(digest));
      await this.#end();
      return total;
    });
  }

  /** Closes the bytes, so that another writer, process or run can continue. */
  async rest(owner: object): Promise<void> {
    await this.inTurn(async () => {
      if (this.#ended || (this.#owner !== undefined && this.#owner !== owner)) return;
      this.#owner = undefined;
      if (this.bytes.isOpen) await this.bytes.rest();
    });
  }

  async cancel(): Promise<void> {
    await this.inTurn(async () => {
      if (!this.#ended) await this.#end();
    });
  }

  /** Runs an operation after all earlier ones have finished. */
  inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(operation);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #take(owner: object, offset: number): Promise<void> {
    const { bytes } = this;
    if (this.#ended) throw bytes.unknown();
    if (this.#owner !== undefined && this.#owner !== owner && bytes.isOpen) await bytes.rest();
    this.#owner = owner;
    if (!bytes.isOpen) await bytes.open();
    if (offset === bytes.size) return;
    const { size } = bytes;
    await bytes.rest();
    throw outOfOrder(bytes, offset, size);
  }

  async #orRest<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      await this.bytes.rest().catch(() => {});
      throw error;
    }
  }

  async #end(): Promise<void> {
    this.#ended = true;
    await this.bytes.end();
  }
}

/**
 * Refuses a writer whose offset is not the end of the bytes.
 *
 * @throws OciError RANGE_INVALID
 */
export function checkOffset(bytes: UploadBytes, offset: number | undefined): void {
  if (offset !== undefined && offset !== bytes.size) throw outOfOrder(bytes, offset, bytes.size);
}

/**
 * A writer for a session. A writer that never writes does not take the bytes from another.
 *
 * @param onEnd Called when the session has ended.
 */
export function sessionWriter(session: UploadSession, onEnd: () => void = () => {}): BlobWriter {
  const owner = {};
  let { size } = session.bytes;
  return {
    id: session.id,
    startedAt: session.startedAt,
    chunkBytes: 0,
    get size() {
      return size;
    },
    async write(chunk, opts) {
      opts?.signal?.throwIfAborted();
      await session.write(owner, size, chunk);
      size += chunk.length;
    },
    async commit(expected, opts) {
      opts?.signal?.throwIfAborted();
      try {
        const total = await session.commit(owner, size, expected, opts);
        return blobDescriptor(expected.digest, total);
      } finally {
        if (session.ended) onEnd();
      }
    },
    async cancel() {
      await session.cancel();
      onEnd();
    },
    async [Symbol.asyncDispose]() {
      await session.rest(owner);
    },
  };
}

function outOfOrder({ keeper }: UploadBytes, offset: number, size: number): OciError {
  return new OciError('RANGE_INVALID', `the upload has ${size} bytes, so a chunk cannot start at ${offset}`, {
    detail: { size },
    hint: `continue at the size that the ${keeper} has, or start the upload again`,
  });
}
