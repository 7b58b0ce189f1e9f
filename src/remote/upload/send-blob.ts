import { isOciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { BlobSource } from '../../registry/content.ts';
import type { PushBlobOptions } from '../../registry/registry.ts';
import { tellAgain } from '../../transport/waits.ts';
import type { RemoteClient } from '../client.ts';
import { UploadSource } from './body.ts';
import type { ChunkSize } from './chunk-size.ts';
import type { JournalEntry } from './journal.ts';
import { cancelling, isInterruption, stoppedCancelMs, type UploadSession, waitAskedFor } from './session.ts';

/** Up to this size a blob is sent in one piece of memory, and not looked up first: an upload costs less than a round trip. */
export const smallBytes = 256 * 1024;

/** What the upload of one blob needs of its registry. */
interface Upload extends Pick<PushBlobOptions, 'onWait' | 'signal'> {
  readonly client: RemoteClient;
  readonly chunks: ChunkSize;
  /** Where the session is kept for a later run; undefined: it is not. */
  readonly entry: JournalEntry | undefined;
  readonly exists: () => Promise<boolean>;
  /** Undefined if the registry has the blob after all. */
  readonly open: () => Promise<UploadSession | undefined>;
  /** A mount from the same repository, which answers whether the blob exists and opens a session in one request. */
  readonly mountOwn: (() => Promise<UploadSession | 'mounted' | undefined>) | undefined;
  /** The session at a location, whose size is not known yet. */
  readonly at: (location: URL) => UploadSession;
}

/**
 * Sends a blob: in one request, or in chunks where the registry takes no larger ones, or has a part of it already.
 *
 * @param opened A session for it that is open already.
 */
export async function sendBlob(
  descriptor: Descriptor,
  source: BlobSource,
  opened: UploadSession | undefined,
  upload: Upload,
): Promise<void> {
  const body = new UploadSource(descriptor, source, upload.signal);
  try {
    await new Sending(descriptor, body, upload).run(opened);
  } finally {
    body.close();
  }
}

class Sending {
  readonly #descriptor: Descriptor;
  readonly #body: UploadSource;
  readonly #upload: Upload;
  #session: UploadSession | undefined;
  /** Whether the session is one that an earlier run has left. */
  #isEarlier = false;

  constructor(descriptor: Descriptor, body: UploadSource, upload: Upload) {
    this.#descriptor = descriptor;
    this.#body = body;
    this.#upload = upload;
  }

  async run(opened: UploadSession | undefined): Promise<void> {
    const { chunks, client, entry, exists, mountOwn, onWait, signal } = this.#upload;
    const { retry } = client.transport;
    this.#session = opened;
    let inChunks = false;
    // Bytes that the best session reached. Only more than that is progress; otherwise restarts could go on for ever.
    let furthest = 0;
    await cancelling(opened, signal, () => this.#body.ready());
    await this.#takeEarlier();
    for (let failures = 0; ; ) {
      let tried: number | undefined;
      try {
        this.#session ??= await this.#upload.open();
        const session = this.#session;
        if (session === undefined) return entry?.erase();
        if (entry) session.onMoved = (location) => entry.keep(location);
        if (inChunks || chunks.isNeeded(this.#descriptor.size) || session.size > 0) {
          tried = Math.max(chunks.bytes, session.minChunkBytes);
          await this.#sendChunks(session, tried);
          chunks.accepted();
        } else await this.#sendWhole(session);
        return entry?.erase();
      } catch (error) {
        const session = this.#session;
        const progressed = session !== undefined && session.size > furthest;
        if (progressed) furthest = session.size;
        const goesOn = !this.#body.failure && !signal?.aborted && this.#mayGoOn(error, tried);
        failures = progressed ? 1 : failures + 1;
        if (!goesOn || failures >= retry.attempts) throw await this.#givenUp(error);
        if (isInterruption(error)) {
          const leastMs = waitAskedFor(error, retry);
          tellAgain({ onWait }, error, Number.POSITIVE_INFINITY, leastMs);
          await retry.pause(failures, { signal, leastMs });
          if (!inChunks && failures < 3 && mountOwn) {
            // Later attempts use chunks, which survive more interruptions.
            const again = await mountOwn();
            if (again === 'mounted') return;
            this.#session = again;
            continue;
          }
          if (await exists()) return entry?.erase();
        }
        inChunks = true;
        this.#session = await this.#stillOpen(error);
      }
    }
  }

  /** Goes on in the session that an earlier run has left, if the registry still has bytes of it. */
  async #takeEarlier(): Promise<void> {
    const { at, entry, signal } = this.#upload;
    const location = entry?.find();
    if (!location) return;
    const earlier = at(location);
    try {
      const held = await earlier.refresh(signal);
      if (held === 0 || held > this.#descriptor.size) return await earlier.cancel();
    } catch {
      signal?.throwIfAborted();
      return;
    }
    await this.#session?.cancel();
    this.#session = earlier;
    this.#isEarlier = true;
  }

  /**
   * Whether another way may succeed, or the same one later. Also learns the registry's limits from the error.
   *
   * @param tried Size of the chunks that were sent; undefined for the whole blob in one request.
   */
  #mayGoOn(error: unknown, tried: number | undefined): boolean {
    if (isOciError(error, 'TOO_LARGE')) return this.#upload.chunks.refused(tried);
    if (isInterruption(error) || isOciError(error, 'RANGE_INVALID', 'BLOB_UPLOAD_UNKNOWN')) return true;
    // Its first bytes may be those of another program.
    return this.#isEarlier && isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH');
  }

  /** The session, if it can be continued. distribution 2 loses a session that was cut within a request. */
  async #stillOpen(error: unknown): Promise<UploadSession | undefined> {
    const session = this.#session;
    const { signal } = this.#upload;
    if (session === undefined || isOciError(error, 'BLOB_UPLOAD_UNKNOWN')) return undefined;
    const isLost = isOciError(error, 'TOO_LARGE', 'RANGE_INVALID', 'DIGEST_MISMATCH', 'SIZE_MISMATCH');
    this.#isEarlier &&= !isLost;
    try {
      if (!isLost && (await session.refresh(signal)) <= this.#descriptor.size) return session;
      await session.cancel();
    } catch {
      signal?.throwIfAborted();
    }
    return undefined;
  }

  /** Ends the session, unless the registry cannot be reached and a later run may go on in it. @returns The error to throw. */
  async #givenUp(error: unknown): Promise<unknown> {
    const { entry, signal } = this.#upload;
    if (!entry || signal?.aborted || !isInterruption(error)) {
      entry?.erase();
      // After an abort do not wait long. Without this request a registry may keep the session for a week.
      await this.#session?.cancel(signal?.aborted ? stoppedCancelMs : undefined);
    }
    signal?.throwIfAborted();
    return this.#body.failure ? this.#body.failure.error : error;
  }

  async #sendWhole(session: UploadSession): Promise<void> {
    const { digest, size } = this.#descriptor;
    const { signal } = this.#upload;
    if (size > smallBytes) {
      await session.commit(digest, { body: async () => this.#body.whole(), contentBytes: size }, signal);
      return;
    }
    let body: Uint8Array = new Uint8Array(0);
    for await (const piece of this.#body.pieces(0, smallBytes)) body = piece;
    await session.commit(digest, { body }, signal);
  }

  async #sendChunks(session: UploadSession, chunkBytes: number): Promise<void> {
    const { exists, signal } = this.#upload;
    for await (const chunk of this.#body.pieces(session.size, chunkBytes)) await session.append(chunk, signal);
    await session.commitSurely(this.#descriptor.digest, new Uint8Array(0), exists, signal);
  }
}
