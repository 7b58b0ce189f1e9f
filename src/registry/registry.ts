/**
 * The one interface: everything in ocictl implements it, wraps it or uses it.
 *
 * Errors by code, for every method: NAME_UNKNOWN (no such repository), UNAUTHORIZED and DENIED, TOOMANYREQUESTS; NETWORK,
 * TIMEOUT, TLS and UNAVAILABLE for the connection; STORAGE_* for a disk; UNSUPPORTED for what this registry cannot do. The
 * comment of a method names only further ones. Every method honours `signal`: it rejects with the signal's reason.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
 */
import type { Challenge } from '../model/challenge.ts';
import type { Digest, DigestAlgorithm } from '../model/digest.ts';
import type { WaitFacts } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest, RawManifest } from '../model/manifest/manifest.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { BlobSource, Content, Sink } from './content.ts';
import type { ExtensionKey } from './extension-key.ts';
import type { ListOptions, ReferrerOptions, SignalOption } from './options.ts';
import type { ByteRange } from './range.ts';

export type { KnownTags, ListOptions, ReferrerOptions, SignalOption } from './options.ts';
export type { ByteRange } from './range.ts';

export interface Registry extends Reader, Writer, Deleter, Lister {
  /** host[:port], or the name of a local registry. */
  readonly name: string;
  /** Asks whether this is a registry, and how it authenticates. A 401 is a result, not an error. */
  ping(opts?: SignalOption): Promise<PingResult>;
  /** An optional capability, or undefined. Every wrapper forwards or refuses it explicitly. */
  extension<T>(key: ExtensionKey<T>): T | undefined;
}

export interface PingResult {
  /** Whether the request was accepted with the current credentials, or without any. */
  readonly authorized: boolean;
  /** How it authenticates, from `WWW-Authenticate`; empty if it asked for nothing. */
  readonly challenges: readonly Challenge[];
  /** The `Docker-Distribution-API-Version` header, if the registry sent it. */
  readonly apiVersion?: string;
}

/** Called with the reason for a delay. */
export type OnWait = (reason: string, facts?: WaitFacts) => void;

export interface GetBlobOptions extends SignalOption {
  /** Part of the blob. RANGE_INVALID if it is not within the blob, see {@link ByteRange}. */
  readonly range?: ByteRange | undefined;
  /** False if the destination verifies on commit, so that no byte is hashed twice. Default: true without a range. */
  readonly verify?: boolean | undefined;
  /** Called when a registry is unreachable, asks to wait, or is silent for long; only this listener is called then. */
  readonly onWait?: OnWait | undefined;
}

export interface GetManifestOptions extends SignalOption {
  /** Media types; default `manifestMediaTypes()`. */
  readonly accept?: readonly string[] | undefined;
  /** Fails with NOT_MODIFIED if the reference still has this digest. */
  readonly ifNoneMatch?: Digest | undefined;
  /** Whether a push to the same repository follows, so that one token is asked for both. Default false. */
  readonly beforePush?: boolean | undefined;
}

export interface StatManifestOptions extends SignalOption {
  /**
   * Whether absence is an expected answer, as at a destination: then a 404 to HEAD is final. Default false: GET is
   * tried after it.
   */
  readonly mayBeAbsent?: boolean | undefined;
}

export interface Reader {
  /** @returns Digest and size; mediaType is application/octet-stream. @throws OciError BLOB_UNKNOWN */
  statBlob(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<Descriptor>;
  /**
   * Opens a blob. For a descriptor, its inline data is used if there is some, its size is enforced, and its `urls` are
   * the last resort.
   *
   * @throws OciError BLOB_UNKNOWN, RANGE_INVALID; while reading: DIGEST_MISMATCH, SIZE_MISMATCH.
   */
  getBlob(repo: RepositoryName, blob: Digest | Descriptor, opts?: GetBlobOptions): Promise<Content>;
  /** @throws OciError MANIFEST_UNKNOWN */
  statManifest(repo: RepositoryName, reference: Tag | Digest, opts?: StatManifestOptions): Promise<Descriptor>;
  /**
   * The exact bytes and their parsed content. Verified if `reference` is a digest.
   *
   * @throws OciError MANIFEST_UNKNOWN, MANIFEST_INVALID, DIGEST_MISMATCH, NOT_MODIFIED, TOO_LARGE
   */
  getManifest(repo: RepositoryName, reference: Tag | Digest, opts?: GetManifestOptions): Promise<Manifest>;
}

export interface PushBlobOptions extends SignalOption {
  /** A repository of the same registry that probably holds the blob. */
  readonly mountFrom?: RepositoryName | undefined;
  /** Whether it certainly holds the blob: a mount is then tried before the blob is looked up. Default false. */
  readonly mountFirst?: boolean | undefined;
  /** Called when the transfer has to wait: another process is transferring the blob, or a retry is due. */
  readonly onWait?: OnWait | undefined;
}

export interface PushBlobResult {
  /** Digest and size of the blob at the registry. */
  readonly descriptor: Descriptor;
  /** `exists`: it was there; `mounted`: from another repository; `pushed`: its bytes were sent. */
  readonly outcome: 'exists' | 'mounted' | 'pushed';
}

export interface PushManifestOptions extends SignalOption {
  /** Tags to point at the manifest once it is stored. */
  readonly tags?: readonly Tag[] | undefined;
  /** The expected digest of the bytes; it also selects the algorithm. Default sha256. @throws OciError DIGEST_MISMATCH */
  readonly digest?: Digest | undefined;
  /**
   * Whether children of an index may be missing. If false (default), or if the registry accepts no sparse indexes,
   * every blob and child must exist. A missing `subject` is always accepted.
   */
  readonly sparse?: boolean | undefined;
}

export interface StartUploadOptions extends SignalOption {
  /** Size of the chunks that the caller intends to write; the registry may raise it. */
  readonly chunkBytes?: number | undefined;
  /** Of the digest that `commit` will name. Default sha256. */
  readonly digestAlgorithm?: DigestAlgorithm | undefined;
  /** The digest that `commit` will name, if it is known: then nobody else goes on with this session. */
  readonly digest?: Digest | undefined;
}

export interface Writer {
  /**
   * Makes a blob available in a repository with the fewest bytes: it exists, it can be mounted, or it is sent. The
   * source is opened only if bytes have to be sent, and again at an offset if a part of them had arrived.
   *
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; the registry then has nothing of it.
   */
  pushBlob(
    repo: RepositoryName,
    descriptor: Descriptor,
    source: BlobSource,
    opts?: PushBlobOptions,
  ): Promise<PushBlobResult>;
  /** Opens an upload session, for bytes whose digest is not known yet. */
  startUpload(repo: RepositoryName, opts?: StartUploadOptions): Promise<BlobWriter>;
  /**
   * Continues an upload session.
   *
   * @param opts.offset Number of bytes that the caller believes the session has; RANGE_INVALID if the registry has another
   * number. If absent, the registry is asked.
   * @param opts.digest Of the whole blob, if the next bytes complete it: some stores then write them to their place at once.
   * @throws OciError BLOB_UPLOAD_UNKNOWN
   */
  resumeUpload(
    repo: RepositoryName,
    id: string,
    opts?: SignalOption & { readonly offset?: number | undefined; readonly digest?: Digest | undefined },
  ): Promise<BlobWriter>;
  /** Mounts a blob from another repository. If the result is a writer, it was not mounted: upload it in this session. */
  mountBlob(
    repo: RepositoryName,
    digest: Digest,
    opts?: SignalOption & { readonly from?: RepositoryName | undefined },
  ): Promise<Descriptor | BlobWriter>;
  /**
   * Stores a manifest, then its tags. The manifest is never visible in part.
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
  /** Removes a tag, but not the manifest. @throws OciError MANIFEST_UNKNOWN */
  deleteTag(repo: RepositoryName, tag: Tag, opts?: SignalOption): Promise<void>;
}

/** Lists fetch each page when iteration reaches it, and iteration may stop early. */
export interface Lister {
  /** Every repository that the registry shows. @throws OciError UNSUPPORTED if it has no such list. */
  repositories(opts?: ListOptions): AsyncIterable<RepositoryName>;
  /** @throws OciError NAME_UNKNOWN */
  tags(repo: RepositoryName, opts?: ListOptions): AsyncIterable<Tag>;
  /**
   * Manifests whose `subject` is this digest, sorted by digest and without duplicates; empty for an unknown digest or
   * repository. `after` is a digest; its manifest may have been deleted since.
   *
   * @throws OciError TOO_LARGE if a registry lists more than can be sorted in memory.
   */
  referrers(repo: RepositoryName, digest: Digest, opts?: ReferrerOptions): AsyncIterable<Descriptor>;
}

/** An open upload session. If it is disposed without `commit`, it can be resumed later. */
export interface BlobWriter extends Sink, AsyncDisposable {
  /** Identifies the session for {@link Writer.resumeUpload}. Opaque. */
  readonly id: string;
  /** Bytes that the registry has. */
  readonly size: number;
  /** When the session began; for a remote one, when this program opened it. */
  readonly startedAt: Date;
  /** The smallest chunk that this session accepts, except for the last one; 0: no minimum. */
  readonly chunkBytes: number;
  /** Appends a chunk. Its memory may be reused once the promise has resolved. */
  write(chunk: Uint8Array, opts?: SignalOption): Promise<void>;
  /**
   * Turns the session into a blob.
   *
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; the session has then ended.
   */
  commit(
    expected: { readonly digest: Digest; readonly size?: number | undefined },
    opts?: SignalOption,
  ): Promise<Descriptor>;
  /** Cancels the session. Idempotent, also after commit. */
  cancel(): Promise<void>;
}
