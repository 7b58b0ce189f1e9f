import { repositoryScope } from '../auth/scopes.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { BlobSource } from '../registry/content.ts';
import type { PushBlobOptions, PushBlobResult } from '../registry/registry.ts';
import type { BlobReader } from './blob-reader.ts';
import { isAnswer, type RemoteClient, type Subject } from './client.ts';
import { KnownMounts, mountScopes } from './known-mounts.ts';
import { shownName } from './names.ts';
import { ChunkSize } from './upload/chunk-size.ts';
import { sendBlob, smallBytes } from './upload/send-blob.ts';
import { cancelling, openedSession, type SessionOptions, sessionAt, type UploadSession } from './upload/session.ts';

/** Who is told of waits, and how they end. */
type Attended = Pick<PushBlobOptions, 'onWait' | 'signal'>;

interface OpenUploadOptions extends Attended {
  readonly mount?: Digest | undefined;
  readonly from?: RepositoryName | undefined;
  /** Of the blob, if its bytes are sent in any case. */
  readonly bytes?: number | undefined;
  readonly digestAlgorithm?: string | undefined;
}

/** Pushes blobs to a registry: in one request if the registry accepts that, otherwise in chunks. */
export class BlobPusher {
  readonly #client: RemoteClient;
  readonly #blobs: BlobReader;
  readonly #chunks: ChunkSize;
  readonly #mounts: KnownMounts;

  constructor(client: RemoteClient, blobs: BlobReader) {
    this.#client = client;
    this.#blobs = blobs;
    this.#mounts = new KnownMounts(client.options.facts);
    this.#chunks = new ChunkSize(client.options);
  }

  get chunkBytes(): number {
    return this.#chunks.bytes;
  }

  /** Opens a session, or mounts the blob: undefined if it was mounted. */
  async openUpload(repo: RepositoryName, options: OpenUploadOptions = {}): Promise<UploadSession | undefined> {
    const { mount, from, bytes, digestAlgorithm, onWait, signal } = options;
    const session = this.#sessionOf(repo, options);
    const { scopes, subject } = session;
    const wider = mountScopes(repo, from);
    const query = { mount, from, 'digest-algorithm': digestAlgorithm === 'sha256' ? undefined : digestAlgorithm };
    const url = this.#client.url({ name: 'uploads', repo }, query);
    // Retrying is safe: registries expire unused sessions.
    const request = {
      method: 'POST',
      url,
      body: new Uint8Array(0),
      idempotent: true,
      bodyFollows: bytes,
      onWait,
      signal,
    } as const;
    const persistent = mount !== undefined && wider.length === 0;
    const response = await this.#client.expect(
      { ...request, scopes: [...scopes, ...wider], persistent },
      mount === undefined ? [202] : [201, 202],
      subject,
    );
    await response.body.discard();
    if (response.status === 201) return undefined;
    return openedSession(this.#client, response, session);
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
    await sendBlob(descriptor, source, session, {
      client: this.#client,
      chunks: this.#chunks,
      entry: this.#client.options.uploadJournal?.entry(repo, descriptor),
      exists: () => this.exists(repo, descriptor.digest, opts),
      open: () => this.openUpload(repo, { bytes: descriptor.size, onWait: opts.onWait, signal }),
      mountOwn: this.#mayMountOwn(descriptor) ? () => this.#mount(repo, descriptor.digest, repo, opts) : undefined,
      at: (location) => sessionAt(this.#client, location, this.#sessionOf(repo, opts)),
      ...opts,
    });
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

  #sessionOf(repo: RepositoryName, { onWait }: Attended): SessionOptions {
    return { scopes: [uploadScope(repo)], subject: this.#subject(repo, 'upload'), onWait };
  }

  #subject(repo: RepositoryName, what: string): Subject {
    const repository = shownName(this.#client.name, repo);
    return { what: `${what} to ${repository}`, repository, action: 'push', notFound: 'NAME_UNKNOWN' };
  }
}

function uploadScope(repo: RepositoryName): string {
  return repositoryScope(repo, 'pull', 'push');
}
