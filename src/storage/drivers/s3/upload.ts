import { createHash } from 'node:crypto';
import type { Digest } from '../../../model/digest.ts';
import { OciError } from '../../../model/errors.ts';
import type { ObjectReader, StorePath, Upload } from '../../driver.ts';
import { memoryReader } from '../memory-objects.ts';
import type { S3Client } from './client.ts';
import { copyObject } from './copy-large.ts';
import { deleteObjects } from './delete-objects.ts';
import { givePart, takePart } from './part-buffers.ts';
import { openReader } from './reader.ts';
import { maxParts, type StoredState, statePath, supersede, writeState } from './upload-state.ts';

/** Before the bytes in a buffer: room for the line that the state begins with. */
const roomBytes = 64 * 1024;

interface UploadPlace {
  readonly client: S3Client;
  /** Where it rests, and where parts become an object that can be read. */
  readonly path: StorePath;
  /** Where it will be committed: parts are made for that key at once, and never become an object elsewhere. */
  readonly to?: StorePath | undefined;
  /** The object that says when the session began; undefined if it is no session. */
  readonly begun?: StorePath | undefined;
}

/**
 * An upload in equal parts. Bytes are in memory until they fill a part; up to one part they never are parts, and the object
 * is put at once.
 */
export class PartsUpload implements Upload {
  readonly #place: UploadPlace;
  readonly #partBytes: number;
  readonly #sequence: number;
  readonly #resumedTail: number;
  readonly #key: StorePath;
  readonly #etags: string[];
  #uploadId: string | undefined;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #tail: number;
  #digest: Digest | undefined;
  /** Bytes of the object at its path that was made of the parts. */
  #completed: number | undefined;
  #changed = false;
  #ended = false;
  #aborted = false;

  constructor(place: UploadPlace, state?: StoredState) {
    this.#place = place;
    this.#partBytes = state?.partBytes ?? place.client.connection.settings.chunkBytes;
    this.#sequence = state?.sequence ?? 0;
    this.#key = state === undefined ? (place.to ?? place.path) : place.path;
    this.#etags = [...(state?.etags ?? [])];
    this.#uploadId = state?.uploadId;
    this.#completed = state?.completedBytes;
    this.#digest = state?.digest;
    this.#tail = state?.tail.length ?? 0;
    this.#resumedTail = this.#tail;
    if (state !== undefined && this.#tail > 0) this.#room().set(state.tail);
  }

  get size(): number {
    return this.#completed ?? this.#etags.length * this.#partBytes + this.#tail;
  }

  get digest(): Digest | undefined {
    return this.#digest;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended || this.#aborted) throw this.#removed();
    if (this.#completed !== undefined) throw this.#restart('its bytes were put together already');
    for (let taken = 0; taken < chunk.length; ) {
      // Only when more comes: what just fills a part is put at once.
      if (this.#tail === this.#partBytes) await this.#sendPart();
      const some = chunk.subarray(taken, taken + this.#partBytes - this.#tail);
      this.#room().set(some, this.#tail);
      this.#tail += some.length;
      taken += some.length;
      this.#changed = true;
      this.#digest = undefined;
    }
  }

  async read(): Promise<ObjectReader> {
    const { client, path } = this.#place;
    if (this.#completed === undefined && this.#uploadId === undefined) {
      return memoryReader({ chunks: [Uint8Array.from(this.#bytes())], size: this.#tail });
    }
    // Parts cannot be read before they are an object, and an object at its final place must have been verified.
    if (this.#key !== this.#place.path) throw this.#restart('its bytes cannot be read before they are complete');
    await this.#complete();
    const reader = await openReader(client, path, undefined);
    if (reader === undefined) throw this.#removed();
    return reader;
  }

  async commit(to: StorePath): Promise<void> {
    const { client, begun } = this.#place;
    if (this.#ended || this.#aborted) throw this.#removed();
    if (this.#completed === undefined && this.#uploadId === undefined) {
      await client.put(to, this.#bytes());
    } else {
      if (this.#key !== this.#place.path && this.#key !== to) throw this.#restart('it was begun for another place');
      await this.#complete();
      if (this.#key !== to) await this.#copy(to);
    }
    this.#ended = true;
    this.#free();
    // A session keeps its bytes until it ends: what follows the commit may fail, and is tried again.
    if (begun === undefined) await this.#remove([]);
  }

  async rest({ digest }: { readonly digest?: Digest | undefined } = {}): Promise<void> {
    if (this.#ended || this.#aborted) return;
    if (!this.#changed || this.size === 0) return this.#leave();
    // Parts of an object at its final place can be verified by nobody else.
    if (this.#key !== this.#place.path && this.#uploadId !== undefined) return await this.abort();
    const { client, path } = this.#place;
    const state = {
      partBytes: this.#partBytes,
      uploadId: this.#uploadId,
      etags: this.#etags,
      completedBytes: this.#completed,
      digest: digest ?? this.#digest,
    };
    try {
      await writeState(client, path, this.#sequence + 1, state, (line) => this.#framed(line));
    } finally {
      this.#leave();
    }
    if (this.#resumedTail > 0) await supersede(client, path, this.#sequence).catch(() => {});
  }

  async abort(): Promise<void> {
    if (this.#ended || this.#aborted) return;
    this.#aborted = true;
    this.#free();
    await this.#abortParts();
    if (this.#place.begun === undefined) await this.#remove([]);
  }

  /** Removes the session: its beginning, with all that is known of it. */
  async end(): Promise<void> {
    const { begun } = this.#place;
    if (!this.#ended) await this.abort();
    if (begun !== undefined) await this.#remove([begun]);
  }

  async #sendPart(): Promise<void> {
    const { client } = this.#place;
    const number = this.#etags.length + 1;
    if (number > maxParts) {
      const most = Math.floor((maxParts * this.#partBytes) / 1024 ** 3);
      throw new OciError('SIZE_INVALID', `a blob here may have ${maxParts} parts, that is ${most} GiB`, {
        hint: 'have the server started with a larger chunk-size in --root',
      });
    }
    this.#uploadId ??= await client.createMultipart(this.#key);
    const upload = { path: this.#key, uploadId: this.#uploadId };
    const part = await client.uploadPart(upload, number, this.#bytes());
    if (part === undefined) throw this.#removed();
    this.#etags.push(part.etag);
    this.#tail = 0;
  }

  async #complete(): Promise<void> {
    if (this.#completed !== undefined || this.#uploadId === undefined) return;
    const { client } = this.#place;
    const upload = { path: this.#key, uploadId: this.#uploadId };
    const size = this.size;
    const etags = [...this.#etags];
    if (this.#tail > 0) {
      const part = await client.uploadPart(upload, etags.length + 1, this.#bytes());
      if (part !== undefined) etags.push(part.etag);
    }
    const parts = etags.map((etag, index) => ({ number: index + 1, etag, size: this.#partBytes }));
    if ((await client.completeMultipart(upload, parts)) !== 'completed' && !(await this.#isMadeOf(etags, size))) {
      await this.#giveUp();
    }
    this.#completed = size;
    this.#changed = true;
    this.#free();
  }

  // Another holder, who was refused afterwards, has written over parts of this one: no attempt can succeed.
  async #giveUp(): Promise<never> {
    await this.end();
    throw this.#removed();
  }

  // The upload is also gone if it was completed and the answer was lost, or its holder was killed then.
  async #isMadeOf(etags: readonly string[], size: number): Promise<boolean> {
    const found = await this.#place.client.head(this.#key);
    if (found?.size !== size) return false;
    const sums = etags.map((etag) => /^"?([0-9a-f]{32})"?$/.exec(etag)?.[1]);
    if (sums.some((sum) => sum === undefined)) return false;
    const whole = createHash('md5')
      .update(Buffer.from(sums.join(''), 'hex'))
      .digest('hex');
    return found.etag.replaceAll('"', '') === `${whole}-${etags.length}`;
  }

  async #copy(to: StorePath): Promise<void> {
    const { client, path } = this.#place;
    const { size } = this;
    if (await copyObject(client, path, to, size)) return;
    // Another holder has committed the same bytes and ended the session.
    if ((await client.head(to))?.size !== size) throw this.#removed();
  }

  async #abortParts(): Promise<void> {
    if (this.#uploadId === undefined || this.#completed !== undefined) return;
    await this.#place.client.abortMultipart({ path: this.#key, uploadId: this.#uploadId });
  }

  async #remove(more: readonly StorePath[]): Promise<void> {
    const { client, path } = this.#place;
    const paths = [...more];
    for (let sequence = 1; sequence <= this.#sequence; sequence += 1) paths.push(statePath(path, sequence));
    if (this.#completed !== undefined && this.#key === path) paths.push(path);
    await deleteObjects(client, paths);
  }

  #room(): Uint8Array<ArrayBuffer> {
    this.#buffer ??= takePart(roomBytes + this.#partBytes);
    return this.#buffer.subarray(roomBytes);
  }

  #bytes(): Uint8Array {
    return this.#buffer?.subarray(roomBytes, roomBytes + this.#tail) ?? new Uint8Array(0);
  }

  #framed(line: Uint8Array): Uint8Array {
    if (this.#buffer === undefined || line.length > roomBytes) return Buffer.concat([line, this.#bytes()]);
    const start = roomBytes - line.length;
    this.#buffer.set(line, start);
    return this.#buffer.subarray(start, roomBytes + this.#tail);
  }

  #leave(): void {
    this.#ended = true;
    this.#free();
  }

  #free(): void {
    if (this.#buffer !== undefined) givePart(this.#buffer);
    this.#buffer = undefined;
  }

  #removed(): OciError {
    const { client, path } = this.#place;
    return new OciError('STORAGE', `${client.connection.name}/${path} was removed while it was written`, {
      hint: 'something else cleans this store; try again',
      retryable: true,
    });
  }

  #restart(why: string): OciError {
    const { client, path } = this.#place;
    return new OciError('STORAGE', `the upload ${client.connection.name}/${path} cannot be continued: ${why}`, {
      hint: 'start it again',
      retryable: true,
    });
  }
}
