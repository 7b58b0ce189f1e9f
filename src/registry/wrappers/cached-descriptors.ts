import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { blobDescriptor } from '../content.ts';
import type { BlobDescriptorService } from '../descriptor-cache.ts';
import {
  blobEnumerator,
  type ExtensionKey,
  endpointReport,
  leases,
  manifestEnumerator,
  tagHistory,
} from '../extensions.ts';
import type { BlobWriter, Registry, SignalOption } from '../registry.ts';

export interface CachedDescriptorsOptions {
  /** Told of errors of the cache, which nobody else hears of. */
  readonly onCacheError?: ((error: unknown) => void) | undefined;
}

// Others remove blobs behind the cache's back.
const forwarded: ReadonlySet<ExtensionKey<unknown>> = new Set<ExtensionKey<unknown>>([
  blobEnumerator,
  manifestEnumerator,
  tagHistory,
  endpointReport,
  leases,
]);

/**
 * A registry that asks a cache first whether a blob is there, and tells it what it learns. A cache that fails is one that
 * knows nothing, except for a delete: it needs the entry gone first, or the cache would say for ever that the blob is there.
 *
 * Whoever removes blobs from the registry by another way than this one leaves entries that are not true.
 */
export function cachedDescriptors(
  registry: Registry,
  cache: BlobDescriptorService,
  { onCacheError }: CachedDescriptorsOptions = {},
): Registry {
  const attempt = async <T>(ask: () => Promise<T>, opts: SignalOption | undefined): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      opts?.signal?.throwIfAborted();
      onCacheError?.(error);
      return undefined;
    }
  };
  const keep = async (repo: RepositoryName, { digest, size }: Descriptor, opts?: SignalOption): Promise<void> => {
    await attempt(() => cache.setDescriptor(repo, digest, blobDescriptor(digest, size), opts), opts);
  };
  const watch = (repo: RepositoryName, writer: BlobWriter): BlobWriter =>
    keepingCommits(writer, (d, o) => keep(repo, d, o));
  return {
    name: registry.name,
    ping: (opts) => registry.ping(opts),
    extension: (key) => (forwarded.has(key) ? registry.extension(key) : undefined),
    async statBlob(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const known = await attempt(() => cache.stat(repo, digest, opts), opts);
      if (known && isTrue(known, digest)) return known;
      const descriptor = await registry.statBlob(repo, digest, opts);
      await keep(repo, descriptor, opts);
      return descriptor;
    },
    async getBlob(repo, blob, opts) {
      try {
        return await registry.getBlob(repo, blob, opts);
      } catch (error) {
        const digest = typeof blob === 'string' ? blob : blob.digest;
        if (isOciError(error, 'BLOB_UNKNOWN')) await attempt(() => cache.clear(repo, digest, opts), opts);
        throw error;
      }
    },
    statManifest: (repo, reference, opts) => registry.statManifest(repo, reference, opts),
    getManifest: (repo, reference, opts) => registry.getManifest(repo, reference, opts),
    async pushBlob(repo, descriptor, source, opts) {
      const result = await registry.pushBlob(repo, descriptor, source, opts);
      await keep(repo, result.descriptor, opts);
      return result;
    },
    startUpload: async (repo, opts) => watch(repo, await registry.startUpload(repo, opts)),
    resumeUpload: async (repo, id, opts) => watch(repo, await registry.resumeUpload(repo, id, opts)),
    async mountBlob(repo, digest, opts) {
      const mounted = await registry.mountBlob(repo, digest, opts);
      if (!('digest' in mounted)) return watch(repo, mounted);
      await keep(repo, mounted, opts);
      return mounted;
    },
    pushManifest: (repo, manifest, opts) => registry.pushManifest(repo, manifest, opts),
    async deleteBlob(repo, digest, opts) {
      await cache.clear(repo, digest, opts);
      await registry.deleteBlob(repo, digest, opts);
      // Somebody may have asked in between, when it was still there.
      await attempt(() => cache.clear(repo, digest, opts), undefined);
    },
    deleteManifest: (repo, digest, opts) => registry.deleteManifest(repo, digest, opts),
    deleteTag: (repo, tag, opts) => registry.deleteTag(repo, tag, opts),
    repositories: (opts) => registry.repositories(opts),
    tags: (repo, opts) => registry.tags(repo, opts),
    referrers: (repo, digest, opts) => registry.referrers(repo, digest, opts),
  };
}

// A cache that others write to is not believed blindly.
function isTrue({ digest, size }: Descriptor, asked: Digest): boolean {
  return digest === asked && Number.isSafeInteger(size) && size >= 0;
}

function keepingCommits(
  writer: BlobWriter,
  keep: (descriptor: Descriptor, opts: SignalOption | undefined) => Promise<void>,
): BlobWriter {
  return {
    get id() {
      return writer.id;
    },
    get size() {
      return writer.size;
    },
    get startedAt() {
      return writer.startedAt;
    },
    get chunkBytes() {
      return writer.chunkBytes;
    },
    write: (chunk, opts) => writer.write(chunk, opts),
    async commit(expected, opts) {
      const descriptor = await writer.commit(expected, opts);
      await keep(descriptor, opts);
      return descriptor;
    },
    cancel: () => writer.cancel(),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}
