import { repositoryScope } from '../auth/scopes.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { BlobWriter, SignalOption, StartUploadOptions } from '../registry/registry.ts';
import type { BlobPusher } from './blob-pusher.ts';
import type { BlobReader } from './blob-reader.ts';
import { RemoteBlobWriter } from './blob-writer.ts';
import type { RemoteClient, Subject } from './client.ts';
import { shownName } from './names.ts';
import { SessionNames } from './upload/location.ts';
import { UploadSession } from './upload/session.ts';

/** Upload sessions at a remote registry. */
export class UploadWriter {
  readonly #client: RemoteClient;
  readonly #blobs: BlobReader;
  readonly #pusher: BlobPusher;
  readonly #names: SessionNames;

  constructor(client: RemoteClient, blobs: BlobReader, pusher: BlobPusher) {
    this.#client = client;
    this.#blobs = blobs;
    this.#pusher = pusher;
    this.#names = new SessionNames(client.transport.base);
  }

  async startUpload(repo: RepositoryName, opts: StartUploadOptions = {}): Promise<BlobWriter> {
    const { chunkBytes, digestAlgorithm, signal } = opts;
    const session = await this.#pusher.openUpload(repo, { digestAlgorithm, signal });
    if (session) return this.#writer(repo, session, chunkBytes);
    throw new OciError('PROTOCOL', `${this.#client.name} mounted a blob although an upload was requested`);
  }

  async resumeUpload(
    repo: RepositoryName,
    id: string,
    opts: SignalOption & { readonly offset?: number | undefined } = {},
  ): Promise<BlobWriter> {
    const { offset, signal } = opts;
    signal?.throwIfAborted();
    const subject = this.#subject(repo);
    const location = this.#names.find(repo, id) ?? this.#bareLocation(repo, id);
    if (!location) throw new OciError('BLOB_UPLOAD_UNKNOWN', `${subject.what}: there is no such upload session`);
    const scopes = [repositoryScope(repo, 'pull', 'push')];
    const session = new UploadSession({ client: this.#client, location, scopes, subject, minChunkBytes: 0 });
    const held = await session.refresh(signal);
    if (offset !== undefined && offset !== held) {
      throw new OciError('RANGE_INVALID', `${subject.what}: the session holds ${held} bytes, not ${offset}`);
    }
    return this.#writer(repo, session, undefined);
  }

  async mountBlob(
    repo: RepositoryName,
    digest: Digest,
    opts: SignalOption & { readonly from?: RepositoryName | undefined } = {},
  ): Promise<Descriptor | BlobWriter> {
    const session = await this.#pusher.mountOrOpen(repo, digest, opts.from, opts.signal);
    return session ? this.#writer(repo, session, undefined) : this.#blobs.statBlob(repo, digest, opts);
  }

  #writer(repo: RepositoryName, session: UploadSession, chunkBytes: number | undefined): BlobWriter {
    return new RemoteBlobWriter({
      repo,
      session,
      names: this.#names,
      chunkBytes: chunkBytes ?? this.#pusher.chunkBytes,
      exists: (digest) => this.#pusher.exists(repo, digest, {}),
    });
  }

  // An ID from another client of the registry: `..` and slashes would lead to other paths.
  #bareLocation(repo: RepositoryName, id: string): URL | undefined {
    return /^[\w=~-][\w.=~-]{0,254}$/.test(id) ? this.#client.url({ name: 'upload', repo, id }) : undefined;
  }

  #subject(repo: RepositoryName): Subject {
    const repository = shownName(this.#client.name, repo);
    return { what: `upload to ${repository}`, repository, action: 'push' };
  }
}
