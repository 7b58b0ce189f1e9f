import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { blobDescriptor, sizeMismatch } from '../registry/content.ts';
import type { BlobWriter, SignalOption } from '../registry/registry.ts';
import type { SessionNames } from './upload/location.ts';
import type { UploadSession } from './upload/session.ts';

interface BlobWriterOptions {
  readonly repo: RepositoryName;
  readonly session: UploadSession;
  readonly names: SessionNames;
  /** Smaller writes are collected up to this size. */
  readonly chunkBytes: number;
  /** Whether the repository has a blob; used if the response to a commit was lost. */
  readonly exists: (digest: Digest) => Promise<boolean>;
}

/** An upload session at a registry. Small writes are collected into chunks; disposal sends what was collected. */
export class RemoteBlobWriter implements BlobWriter {
  readonly startedAt = new Date();
  readonly #repo: RepositoryName;
  readonly #session: UploadSession;
  readonly #names: SessionNames;
  readonly #given = new Set<string>();
  readonly #chunkBytes: number;
  readonly #exists: (digest: Digest) => Promise<boolean>;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #closed = false;

  constructor(options: BlobWriterOptions) {
    this.#repo = options.repo;
    this.#session = options.session;
    this.#names = options.names;
    this.#exists = options.exists;
    this.#chunkBytes = Math.max(options.chunkBytes, options.session.minChunkBytes, 1);
  }

  get id(): string {
    const id = this.#names.name(this.#repo, this.#session.location);
    this.#given.add(id);
    return id;
  }

  /** Bytes accepted so far, including collected ones that are not sent yet. */
  get size(): number {
    return this.#session.size + this.#gatheredBytes;
  }

  get chunkBytes(): number {
    return this.#session.minChunkBytes;
  }

  async write(chunk: Uint8Array, opts?: SignalOption): Promise<void> {
    opts?.signal?.throwIfAborted();
    this.#refuseClosed();
    for (let at = 0; at < chunk.length; ) {
      const part = Uint8Array.from(chunk.subarray(at, at + this.#chunkBytes - this.#gatheredBytes));
      this.#gathered.push(part);
      this.#gatheredBytes += part.length;
      at += part.length;
      if (this.#gatheredBytes === this.#chunkBytes) await this.#flush(opts?.signal);
    }
  }

  async commit(
    expected: { readonly digest: Digest; readonly size?: number | undefined },
    opts?: SignalOption,
  ): Promise<Descriptor> {
    opts?.signal?.throwIfAborted();
    this.#refuseClosed();
    const { digest } = expected;
    const { size } = this;
    const descriptor = blobDescriptor(digest, size);
    if (expected.size !== undefined && expected.size !== size) {
      await this.cancel();
      throw sizeMismatch({ ...descriptor, size: expected.size }, size);
    }
    // If everything fits in the commit, no other request is sent.
    if (this.#session.size > 0) await this.#flush(opts?.signal);
    const body = this.#take();
    try {
      await this.#session.commitSurely(digest, body, () => this.#exists(digest), opts?.signal);
    } catch (error) {
      if (isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH')) await this.cancel();
      else this.#keep(body);
      throw error;
    }
    this.#closed = true;
    this.#names.forget(this.#given);
    return descriptor;
  }

  async cancel(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#names.forget(this.#given);
    await this.#session.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Bytes that do not arrive now are sent again later: resuming asks the registry for its size.
    await this.#flush(undefined).catch(() => {});
    this.#names.moved(this.#given, this.#session.location);
  }

  async #flush(signal: AbortSignal | undefined): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const startedAt = this.#session.size;
    const chunk = this.#take();
    try {
      await this.#session.append(chunk, signal);
    } catch (error) {
      this.#keep(chunk.subarray(this.#session.size - startedAt));
      throw error;
    }
    this.#names.moved(this.#given, this.#session.location);
  }

  #take(): Uint8Array {
    const chunk = this.#gathered.length === 1 && this.#gathered[0] ? this.#gathered[0] : Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return chunk;
  }

  // Bytes that the registry may not have are kept.
  #keep(chunk: Uint8Array): void {
    this.#gathered = [chunk];
    this.#gatheredBytes = chunk.length;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new OciError('BLOB_UPLOAD_UNKNOWN', 'this upload session is closed');
  }
}
