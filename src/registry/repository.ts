import { checkArgument, checkRegistry } from '../model/check-arguments.ts';
import { type Digest, type DigestAlgorithm, digestBytes } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest, RawManifest } from '../model/manifest/manifest.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { bytesSource, type Content, readContent } from './content.ts';
import type {
  BlobWriter,
  GetBlobOptions,
  GetManifestOptions,
  ListOptions,
  PushManifestOptions,
  ReferrerOptions,
  Registry,
  SignalOption,
  StartUploadOptions,
} from './registry.ts';

/** One repository of any registry. Errors are those of {@link Registry}'s methods. */
export interface Repository {
  /** Without the host. */
  readonly name: RepositoryName;
  /** Its manifests, by tag or digest. */
  readonly manifests: ManifestService;
  /** Its tags. */
  readonly tags: TagService;
  /** Its blobs. */
  readonly blobs: BlobService;
  /** Manifests whose subject is this digest, sorted by digest. */
  referrers(digest: Digest, opts?: ReferrerOptions): AsyncIterable<Descriptor>;
}

export interface ManifestService {
  /** @throws OciError as {@link Reader.statManifest}, but none for a missing manifest. */
  exists(reference: Tag | Digest, opts?: SignalOption): Promise<boolean>;
  /** @throws OciError as {@link Reader.getManifest}. */
  get(reference: Tag | Digest, opts?: GetManifestOptions): Promise<Manifest>;
  /** @throws OciError as {@link Writer.pushManifest}. */
  put(manifest: RawManifest, opts?: PushManifestOptions): Promise<Descriptor>;
  /** Removes the manifest and every tag that points at it. */
  delete(digest: Digest, opts?: SignalOption): Promise<void>;
}

export interface TagService {
  /** The manifest that the tag points at. @throws OciError MANIFEST_UNKNOWN */
  get(tag: Tag, opts?: SignalOption): Promise<Descriptor>;
  /** Points a tag at an existing manifest. @throws OciError MANIFEST_UNKNOWN */
  tag(tag: Tag, digest: Digest, opts?: SignalOption): Promise<Descriptor>;
  /** Removes the tag, but not the manifest. */
  untag(tag: Tag, opts?: SignalOption): Promise<void>;
  /** All tags, in the registry's order. @throws OciError NAME_UNKNOWN */
  all(opts?: ListOptions): AsyncIterable<Tag>;
  /** The tags that point at a manifest. It has to look up every tag of the repository. */
  lookup(digest: Digest, opts?: SignalOption): AsyncIterable<Tag>;
}

export interface BlobService {
  /** @returns Digest and size. @throws OciError BLOB_UNKNOWN */
  stat(digest: Digest, opts?: SignalOption): Promise<Descriptor>;
  /** The blob from its first byte. It can be read once. */
  get(blob: Digest | Descriptor, opts?: GetBlobOptions): Promise<Content>;
  /** The blob for random access, as often as needed. Parts are not verified. */
  open(digest: Digest, opts?: SignalOption): Promise<BlobReader>;
  /** Stores bytes from memory. */
  put(
    bytes: Uint8Array,
    opts?: SignalOption & { readonly mediaType?: string; readonly algorithm?: DigestAlgorithm },
  ): Promise<Descriptor>;
  /** Starts the upload of a blob whose bytes are not known yet. */
  create(opts?: StartUploadOptions): Promise<BlobWriter>;
  /** Continues an upload session. @throws OciError BLOB_UPLOAD_UNKNOWN, RANGE_INVALID */
  resume(id: string, opts?: SignalOption & { readonly offset?: number | undefined }): Promise<BlobWriter>;
  /** Removes the blob from the repository. @throws OciError BLOB_UNKNOWN, UNSUPPORTED */
  delete(digest: Digest, opts?: SignalOption): Promise<void>;
}

export interface BlobReader {
  /** Digest and size of the blob. */
  readonly descriptor: Descriptor;
  /**
   * Reads a part.
   *
   * @param position The first byte, counted from 0.
   * @param length Bytes to read. The result is shorter at the end of the blob, and empty past it.
   */
  read(position: number, length: number, opts?: SignalOption): Promise<Uint8Array>;
}

/** Tags that are looked up in parallel. */
const lookupWidth = 8;

/** A handle on one repository of a registry. Makes no request by itself. */
export function repository(registry: Registry, name: RepositoryName): Repository {
  checkRegistry('repository', registry);
  checkArgument('repository', 'the name', name, 'string');
  return {
    name,
    manifests: manifestService(registry, name),
    tags: tagService(registry, name),
    blobs: blobService(registry, name),
    referrers: (digest, opts) => registry.referrers(name, digest, opts),
  };
}

function manifestService(registry: Registry, name: RepositoryName): ManifestService {
  return {
    exists: async (reference, opts) =>
      (await unlessUnknown(registry.statManifest(name, reference, { ...opts, mayBeAbsent: true }))) !== undefined,
    get: (reference, opts) => registry.getManifest(name, reference, opts),
    put: (manifest, opts) => registry.pushManifest(name, manifest, opts),
    delete: (digest, opts) => registry.deleteManifest(name, digest, opts),
  };
}

function tagService(registry: Registry, name: RepositoryName): TagService {
  return {
    get: (tag, opts) => registry.statManifest(name, tag, opts),
    async tag(tag, digest, opts) {
      const manifest = await registry.getManifest(name, digest, opts);
      // The manifest is stored already, and the registry may have accepted it without all of its children.
      return await registry.pushManifest(name, manifest, { ...opts, tags: [tag], digest, sparse: true });
    },
    untag: (tag, opts) => registry.deleteTag(name, tag, opts),
    all: (opts) => registry.tags(name, opts),
    async *lookup(digest, opts) {
      let batch: Tag[] = [];
      for await (const tag of registry.tags(name, opts)) {
        batch.push(tag);
        if (batch.length < lookupWidth) continue;
        yield* await pointingAt(registry, name, batch, digest, opts);
        batch = [];
      }
      yield* await pointingAt(registry, name, batch, digest, opts);
    },
  };
}

async function pointingAt(
  registry: Registry,
  name: RepositoryName,
  tags: readonly Tag[],
  digest: Digest,
  opts?: SignalOption,
): Promise<readonly Tag[]> {
  // A tag may be deleted while the list is read.
  const found = await Promise.all(
    tags.map((tag) => unlessUnknown(registry.statManifest(name, tag, opts), 'MANIFEST_UNKNOWN')),
  );
  return tags.filter((_, i) => found[i]?.digest === digest);
}

function blobService(registry: Registry, name: RepositoryName): BlobService {
  return {
    stat: (digest, opts) => registry.statBlob(name, digest, opts),
    get: (blob, opts) => registry.getBlob(name, blob, opts),
    async open(digest, opts) {
      return blobReader(registry, name, await registry.statBlob(name, digest, opts));
    },
    async put(bytes, { mediaType = mediaTypes.octetStream, algorithm, signal } = {}) {
      const descriptor = { mediaType, digest: await digestBytes(bytes, algorithm), size: bytes.length };
      await registry.pushBlob(name, descriptor, bytesSource(descriptor, bytes), { signal });
      return descriptor;
    },
    create: (opts) => registry.startUpload(name, opts),
    resume: (id, opts) => registry.resumeUpload(name, id, opts),
    delete: (digest, opts) => registry.deleteBlob(name, digest, opts),
  };
}

function blobReader(registry: Registry, name: RepositoryName, descriptor: Descriptor): BlobReader {
  return {
    descriptor,
    async read(position, length, opts) {
      const end = Math.min(position + length, descriptor.size);
      if (end <= position) return new Uint8Array(0);
      const range = { start: position, end };
      return await readContent(await registry.getBlob(name, descriptor.digest, { ...opts, range }), end - position);
    },
  };
}
