/**
 * The one interface: every registry here implements it, wraps it or uses it.
 *
 * Errors by code, for every method: NAME_UNKNOWN (no such repository), UNAUTHORIZED and DENIED, TOOMANYREQUESTS,
 * NETWORK, TIMEOUT, TLS and UNAVAILABLE for what lies between, STORAGE_* for a disk, UNSUPPORTED for what this
 * registry cannot do. A method's comment names only what is its own. Every `signal` is honoured by rejecting with its reason.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
 */
import type { Challenge } from '../model/challenge.ts';
import type { Digest, DigestAlgorithm } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest, RawManifest } from '../model/manifest/manifest.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { BlobSource, Content, Sink } from './content.ts';
import type { ExtensionKey } from './extension-key.ts';
import type { ListOptions, ReferrerOptions, SignalOption } from './options.ts';
import type { ByteRange } from './range.ts';

export type { ListOptions, ReferrerOptions, SignalOption } from './options.ts';
export type { ByteRange } from './range.ts';

export interface Registry extends Reader, Writer, Deleter, Lister {
  /** host[:port], or what a local registry calls itself. */
  readonly name: string;
  /** Asks whether this is a registry and whom it lets in. A 401 is an answer, not an error. */
  ping(opts?: SignalOption): Promise<PingResult>;
  /** An optional capability, or undefined. Every wrapper forwards or denies it. */
  extension<T>(key: ExtensionKey<T>): T | undefined;
}

export interface PingResult {
  /** Whether the request was let in as it was. */
  readonly authorized: boolean;
  readonly challenges: readonly Challenge[];
  /** The `Docker-Distribution-API-Version` header, where sent. */
  readonly apiVersion?: string;
}

export interface GetBlobOptions extends SignalOption {
  /** RANGE_INVALID for one that is not in the blob, see {@link ByteRange}. */
  readonly range?: ByteRange | undefined;
  /** False where the destination verifies on commit, so that no byte is hashed twice. Default true without a range. */
  readonly verify?: boolean | undefined;
}

export interface GetManifestOptions extends SignalOption {
  /** Media types; default `manifestMediaTypes()`. */
  readonly accept?: readonly string[] | undefined;
  /** NOT_MODIFIED when the reference still has this digest. */
  readonly ifNoneMatch?: Digest | undefined;
}

export interface StatManifestOptions extends SignalOption {
  /**
   * Whether absence is an expected answer, as at a destination: a registry's 404 to HEAD is then believed. Default false:
   * GET decides.
   */
  readonly mayBeAbsent?: boolean | undefined;
}

export interface Reader {
  /** @returns digest and size; mediaType is application/octet-stream. @throws OciError BLOB_UNKNOWN */
  statBlob(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<Descriptor>;
  /**
   * Opens a blob. Given a descriptor, its inline data is used, its size is enforced, and its `urls` are a last resort.
   *
   * @throws OciError BLOB_UNKNOWN, RANGE_INVALID; while reading: DIGEST_MISMATCH, SIZE_MISMATCH.
   */
  getBlob(repo: RepositoryName, blob: Digest | Descriptor, opts?: GetBlobOptions): Promise<Content>;
  /** @throws OciError MANIFEST_UNKNOWN */
  statManifest(repo: RepositoryName, reference: Tag | Digest, opts?: StatManifestOptions): Promise<Descriptor>;
  /**
   * The exact bytes and a view of them; verified when asked for by digest.
   *
   * @throws OciError MANIFEST_UNKNOWN, MANIFEST_INVALID, DIGEST_MISMATCH, NOT_MODIFIED, TOO_LARGE
   */
  getManifest(repo: RepositoryName, reference: Tag | Digest, opts?: GetManifestOptions): Promise<Manifest>;
}

export interface PushBlobOptions extends SignalOption {
  /** A repository of the same registry that is believed to hold the blob. */
  readonly mountFrom?: RepositoryName | undefined;
  /** Told when something holds the transfer up: another process has the blob, or a retry waits. */
  readonly onWait?: ((reason: string) => void) | undefined;
}

export interface PushBlobResult {
  readonly descriptor: Descriptor;
  readonly outcome: 'exists' | 'mounted' | 'pushed';
}

export interface PushManifestOptions extends SignalOption {
  /** Tags to point at it, after it is stored. */
  readonly tags?: readonly Tag[] | undefined;
  /** Must be the digest of the bytes; also chooses the algorithm. Default sha256. @throws OciError DIGEST_MISMATCH */
  readonly digest?: Digest | undefined;
  /**
   * Whether the children of an index may be absent; where it is false (default), and in a registry that takes no sparse
   * indexes, every blob and child must be there. A missing `subject` is always fine.
   */
  readonly sparse?: boolean | undefined;
}

export interface StartUploadOptions extends SignalOption {
  /** Size of the chunks the caller means to write; the registry may raise it. */
  readonly chunkBytes?: number | undefined;
  readonly digestAlgorithm?: DigestAlgorithm | undefined;
}

export interface Writer {
  /**
   * Brings a blob into a repository, by whatever needs the fewest bytes: it is there, it can be mounted, it is sent.
   * The source is opened only when bytes are needed, and again, at an offset, when a part of them had arrived.
   *
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; nothing of it is then in the registry.
   */
  pushBlob(
    repo: RepositoryName,
    descriptor: Descriptor,
    source: BlobSource,
    opts?: PushBlobOptions,
  ): Promise<PushBlobResult>;
  startUpload(repo: RepositoryName, opts?: StartUploadOptions): Promise<BlobWriter>;
  /**
   * Goes on with a session.
   *
   * @param opts.offset Bytes the caller believes are there; RANGE_INVALID when the registry holds another number. Asked
   *   of the registry where absent.
   * @throws OciError BLOB_UPLOAD_UNKNOWN
   */
  resumeUpload(
    repo: RepositoryName,
    id: string,
    opts?: SignalOption & { readonly offset?: number | undefined },
  ): Promise<BlobWriter>;
  /** Mounts a blob from another repository. A writer: it was not mounted, go on in this session. */
  mountBlob(
    repo: RepositoryName,
    digest: Digest,
    opts?: SignalOption & { readonly from?: RepositoryName | undefined },
  ): Promise<Descriptor | BlobWriter>;
  /**
   * Stores a manifest, then its tags. Visible whole or not at all.
   *
   * @throws OciError MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_MISMATCH, TOO_LARGE
   */
  pushManifest(repo: RepositoryName, manifest: RawManifest, opts?: PushManifestOptions): Promise<Descriptor>;
}

export interface Deleter {
  /** Removes a blob from a repository. @throws OciError BLOB_UNKNOWN */
  deleteBlob(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void>;
  /** Removes a manifest and every tag that points at it. @throws OciError MANIFEST_UNKNOWN */
  deleteManifest(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void>;
  /** Removes a tag alone. @throws OciError MANIFEST_UNKNOWN */
  deleteTag(repo: RepositoryName, tag: Tag, opts?: SignalOption): Promise<void>;
}

/** Lists fetch a page when it is reached; a loop may break. */
export interface Lister {
  repositories(opts?: ListOptions): AsyncIterable<RepositoryName>;
  /** @throws OciError NAME_UNKNOWN */
  tags(repo: RepositoryName, opts?: ListOptions): AsyncIterable<Tag>;
  /**
   * Manifests whose `subject` is this digest, in the order of their digests, each once; none for an unknown digest or
   * repository. `after` is a digest, which need not be there any more.
   *
   * @throws OciError TOO_LARGE for a registry that lists more than can be brought into order.
   */
  referrers(repo: RepositoryName, digest: Digest, opts?: ReferrerOptions): AsyncIterable<Descriptor>;
}

/** An open upload session. Leaving scope without `commit` keeps it resumable. */
export interface BlobWriter extends Sink, AsyncDisposable {
  readonly id: string;
  /** Bytes the registry holds. */
  readonly size: number;
  readonly startedAt: Date;
  /** The smallest chunk this session takes, except for the last; 0: any. */
  readonly chunkBytes: number;
  /** Appends. The chunk may be reused when the promise has resolved. */
  write(chunk: Uint8Array, opts?: SignalOption): Promise<void>;
  /**
   * Makes the session a blob.
   *
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; the session is then gone.
   */
  commit(
    expected: { readonly digest: Digest; readonly size?: number | undefined },
    opts?: SignalOption,
  ): Promise<Descriptor>;
  /** Gives the session up. Idempotent, also after commit. */
  cancel(): Promise<void>;
}
