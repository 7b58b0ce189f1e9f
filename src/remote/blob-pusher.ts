import { repositoryScope } from '../auth/scopes.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { BlobSource } from '../registry/content.ts';
import type { PushBlobOptions, PushBlobResult } from '../registry/registry.ts';
import { tellAgain } from '../transport/waits.ts';
import type { BlobReader } from './blob-reader.ts';
import { isAnswer, type RemoteClient, type Subject } from './client.ts';
import { KnownMounts, mountScopes } from './known-mounts.ts';
import { shownName } from './names.ts';
import { UploadSource } from './upload-body.ts';
import {
  cancelling,
  isInterruption,
  openedSession,
  stoppedCancelMs,
  type UploadSession,
  waitAskedFor,
} from './upload-session.ts';

const defaultChunkBytes = 8 * 1024 * 1024;
const leastChunkBytes = 1024 * 1024;
/** Up to this size skip the HEAD: an unneeded upload costs less than a round trip. The blob is sent in one piece. */
const smallBytes = 256 * 1024;

/** Who is told of waits, and how they end. */
type Attended = Pick<PushBlobOptions, 'onWait' | 'signal'>;

interface OpenUploadOptions extends Attended {
  readonly mount?: Digest | undefined;
  readonly from?: RepositoryName | undefined;
  readonly digestAlgorithm?: string | undefined;
}

/** Pushes blobs to a registry: in one request if the registry accepts that, otherwise in chunks. */
export class BlobPusher {
  readonly #client: RemoteClient;
  readonly #blobs: BlobReader;
  /** The maximum size of a request that this registry was found to accept. */
  #chunkBytes: number | undefined;
  readonly #mounts: KnownMounts;

  constructor(client: RemoteClient, blobs: BlobReader) {
    this.#client = client;
    this.#blobs = blobs;
    this.#mounts = new KnownMounts(client.options.facts);
  }

  get chunkBytes(): number {
    return this.#chunkBytes ?? Math.min(this.#client.options.uploadChunkBytes ?? defaultChunkBytes, this.#maxBodyBytes);
  }

  /** What an earlier run has found that a request may have. */
  get #maxBodyBytes(): number {
    return this.#client.options.facts?.known.maxBodyBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Opens a session, or mounts the blob: undefined if it was mounted. */
  async openUpload(repo: RepositoryName, options: OpenUploadOptions = {}): Promise<UploadSession | undefined> {
    const { mount, from, digestAlgorithm, onWait, signal } = options;
    const scopes = [uploadScope(repo)];
    const wider = mountScopes(repo, from);
    const query = { mount, from, 'digest-algorithm': digestAlgorithm === 'sha256' ? undefined : digestAlgorithm };
    const url = this.#client.url({ name: 'uploads', repo }, query);
    const subject = this.#subject(repo, 'upload');
    // Retrying is safe: registries expire unused sessions.
    const request = { method: 'POST', url, body: new Uint8Array(0), idempotent: true, onWait, signal } as const;
    const persistent = mount !== undefined && wider.length === 0;
    const response = await this.#client.expect(
      { ...request, scopes: [...scopes, ...wider], persistent },
      mount === undefined ? [202] : [201, 202],
      subject,
    );
    await response.body.discard();
    if (response.status === 201) return undefined;
    return openedSession(this.#client, response, { scopes, subject, onWait });
  }

  async pushBlob(
    repo: RepositoryName,
    descriptor: Descriptor,
    source: BlobSource,
    opts: PushBlobOptions = {},
  ): Promise<PushBlobResult> {
    const { signal } = opts;
    signal?.throwIfAborted();
    const mountFrom = opts.mountFrom !== undefined && this.#mayMount(repo, opts.mountFrom) ? opts.mountFrom : undefined;
    // A mount from the same repository checks and opens an upload in one request. Without mounts, the blob is just sent
    // again.
    const own = mountFrom === undefined && this.#mayMountOwn(descriptor);
    const mountFirst = opts.mountFirst === true && mountFrom !== undefined && this.#mounts.isSure(repo, mountFrom);
    const exists = (): Promise<boolean> => this.exists(repo, descriptor.digest, opts, mountFrom);
    if (!own && !mountFirst && (await exists())) return { descriptor, outcome: 'exists' };
    const from = own ? repo : mountFrom;
    const session =
      from && this.#mayMount(repo, from) ? await this.#mount(repo, descriptor.digest, from, opts) : undefined;
    if (session === 'mounted') return { descriptor, outcome: own ? 'exists' : 'mounted' };
    if (own && session === undefined) this.#mounts.own = false;
    if (mountFirst) {
      this.#mounts.wasInVain(repo, mountFrom);
      if (await cancelling(session, signal, exists)) {
        await session?.cancel();
        return { descriptor, outcome: 'exists' };
      }
    }
    const upload = new UploadSource(descriptor, source, signal);
    try {
      await this.#send(repo, descriptor, upload, session, opts);
    } finally {
      upload.close();
    }
    return { descriptor, outcome: 'pushed' };
  }

  async exists(
    repo: RepositoryName,
    digest: Digest,
    { onWait, signal }: Attended,
    mountFrom?: RepositoryName,
  ): Promise<boolean> {
    const more = { scopes: [uploadScope(repo)], wider: mountScopes(repo, mountFrom), onWait };
    const response = await this.#blobs.head(repo, digest, more, signal);
    await response.body.discard();
    if (response.status === 200) return true;
    // If the registry does not support HEAD, the blob is sent again, which does no harm.
    if ([400, 404, 405, 501].includes(response.status)) return false;
    throw await this.#client.error(response, this.#subject(repo, `blob ${digest}`));
  }

  /** Mounts a blob, or opens a session for it: undefined if it was mounted. */
  async mountOrOpen(
    repo: RepositoryName,
    digest: Digest,
    from: RepositoryName | undefined,
    signal: AbortSignal | undefined,
  ): Promise<UploadSession | undefined> {
    const session = this.#mayMount(repo, from) ? await this.#mount(repo, digest, from, { signal }) : undefined;
    return session === 'mounted' ? undefined : (session ?? (await this.openUpload(repo, { signal })));
  }

  #mayMount(repo: RepositoryName, from: RepositoryName | undefined): boolean {
    return !this.#mounts.isRefused(repo, from) && !this.#client.refuses(mountScopes(repo, from));
  }

  #mayMountOwn({ size }: Descriptor): boolean {
    return size <= smallBytes && this.#mounts.own;
  }

  async #mount(
    repo: RepositoryName,
    mount: Digest,
    from: RepositoryName | undefined,
    opts: Attended,
  ): Promise<UploadSession | 'mounted' | undefined> {
    try {
      const session = await this.openUpload(repo, { ...opts, mount, from });
      if (!session) this.#mounts.succeeded(repo, from);
      return session ?? 'mounted';
    } catch (error) {
      // If the registry cannot mount, or not from there, the bytes are sent; few registries mount from the same
      // repository. A 429 to that would also be the answer to an upload.
      const { status = 0 } = isOciError(error) ? error : {};
      if (!isAnswer(error) || (status === 429 && from === repo)) throw error;
      // A refusal that does not concern this blob only also applies to the next one.
      if (from !== repo && status !== 400 && status !== 404) this.#mounts.refused(repo, from);
      return undefined;
    }
  }

  async #send(
    repo: RepositoryName,
    descriptor: Descriptor,
    upload: UploadSource,
    mounted: UploadSession | undefined,
    opts: PushBlobOptions,
  ): Promise<void> {
    const { signal, onWait } = opts;
    const { retry } = this.#client.transport;
    let session = mounted;
    let inChunks = false;
    // Bytes that the best session reached. Only more than that is progress; otherwise restarts could go on for ever.
    let furthest = 0;
    await cancelling(session, signal, () => upload.ready());
    for (let failures = 0; ; ) {
      let tried: number | undefined;
      try {
        session ??= await this.openUpload(repo, { onWait, signal });
        if (session === undefined) return;
        if (inChunks || this.#chunkBytes !== undefined || session.size > 0 || descriptor.size > this.#maxBodyBytes) {
          tried = Math.max(this.chunkBytes, session.minChunkBytes);
          await this.#sendChunks(repo, descriptor, upload, session, tried, signal);
          if (this.#chunkBytes !== undefined) this.#client.options.facts?.learn({ maxBodyBytes: this.#chunkBytes });
        } else await this.#sendWhole(descriptor, upload, session, signal);
        return;
      } catch (error) {
        const progressed = session !== undefined && session.size > furthest;
        if (progressed) furthest = session?.size ?? 0;
        const goesOn = !upload.failure && !signal?.aborted && this.#mayGoOn(error, tried);
        failures = progressed ? 1 : failures + 1;
        if (!goesOn || failures >= retry.attempts) {
          // After an abort do not wait long. Without this request a registry may keep the session for a week.
          await session?.cancel(signal?.aborted ? stoppedCancelMs : undefined);
          signal?.throwIfAborted();
          throw upload.failure ? upload.failure.error : error;
        }
        if (isInterruption(error)) {
          const leastMs = waitAskedFor(error, retry);
          tellAgain({ onWait }, error, Number.POSITIVE_INFINITY, leastMs);
          await retry.pause(failures, { signal, leastMs });
          if (!inChunks && failures < 3 && this.#mayMountOwn(descriptor)) {
            // A mount from the same repository answers both questions in one request: stored already, or a new session.
            // Later attempts use chunks, which survive more interruptions.
            const again = await this.#mount(repo, descriptor.digest, repo, opts);
            if (again === 'mounted') return;
            session = again;
            continue;
          }
          if (await this.exists(repo, descriptor.digest, opts)) return;
        }
        inChunks = true;
        session = await this.#stillOpen(session, descriptor, error, signal);
      }
    }
  }

  /**
   * Whether another way may succeed, or the same one later. Also learns the registry's limits from the error.
   *
   * @param tried Size of the chunks that were sent; undefined for the whole blob in one request.
   */
  #mayGoOn(error: unknown, tried: number | undefined): boolean {
    if (!isOciError(error, 'TOO_LARGE')) {
      return isInterruption(error) || isOciError(error, 'RANGE_INVALID', 'BLOB_UPLOAD_UNKNOWN');
    }
    // Another blob may have lowered the limit meanwhile.
    this.#chunkBytes = Math.min(this.chunkBytes, tried === undefined ? this.chunkBytes : tried / 2);
    const possible = this.#chunkBytes >= leastChunkBytes;
    this.#chunkBytes = Math.max(this.#chunkBytes, leastChunkBytes);
    return possible;
  }

  /** The session, if it can be continued. distribution loses a session that was cut within a request. */
  async #stillOpen(
    session: UploadSession | undefined,
    descriptor: Descriptor,
    error: unknown,
    signal: AbortSignal | undefined,
  ): Promise<UploadSession | undefined> {
    if (session === undefined || isOciError(error, 'BLOB_UPLOAD_UNKNOWN')) return undefined;
    try {
      if (!isOciError(error, 'TOO_LARGE', 'RANGE_INVALID') && (await session.refresh(signal)) <= descriptor.size) {
        return session;
      }
      await session.cancel();
    } catch {
      signal?.throwIfAborted();
    }
    return undefined;
  }

  async #sendWhole(
    descriptor: Descriptor,
    upload: UploadSource,
    session: UploadSession,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { digest, size } = descriptor;
    if (size <= smallBytes) {
      let body: Uint8Array = new Uint8Array(0);
      for await (const piece of upload.pieces(0, smallBytes)) body = piece;
      return session.commit(digest, { body }, signal);
    }
    await session.commit(digest, { body: async () => upload.whole(), contentBytes: size }, signal);
  }

  async #sendChunks(
    repo: RepositoryName,
    { digest }: Descriptor,
    upload: UploadSource,
    session: UploadSession,
    chunkBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for await (const chunk of upload.pieces(session.size, chunkBytes)) await session.append(chunk, signal);
    await session.commitSurely(digest, new Uint8Array(0), () => this.exists(repo, digest, { signal }), signal);
  }

  #subject(repo: RepositoryName, what: string): Subject {
    const repository = shownName(this.#client.name, repo);
    return { what: `${what} to ${repository}`, repository, action: 'push', notFound: 'NAME_UNKNOWN' };
  }
}

function uploadScope(repo: RepositoryName): string {
  return repositoryScope(repo, 'pull', 'push');
}
