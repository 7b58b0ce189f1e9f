import { checkFields, checkOptions, checkRegistry } from '../../model/check-arguments.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { blobDescriptor } from '../content.ts';
import type { BlobDescriptorService } from '../descriptor-cache.ts';
import {
  blobEnumerator,
  blobLocator,
  connecting,
  type ExtensionKey,
  endpointReport,
  leases,
  manifestEnumerator,
  storageCheck,
  tagHistory,
} from '../extensions.ts';
import type { BlobWriter, Registry, SignalOption } from '../registry.ts';

export interface CachedDescriptorsOptions {
  /** Receives errors of the cache; they are reported nowhere else. */
  readonly onCacheError?: ((error: unknown) => void) | undefined;
}

// Capabilities that remove blobs are missing: the cache would not notice.
const forwarded: ReadonlySet<ExtensionKey<unknown>> = new Set<ExtensionKey<unknown>>([
  blobEnumerator,
  blobLocator,
  manifestEnumerator,
  tagHistory,
  endpointReport,
  connecting,
  leases,
  storageCheck,
]);

/**
 * A registry that looks up blobs in a cache first, and adds to it what it learns. If the cache fails, it counts as
 * empty; except in a delete, which must remove the entry first, or the cache would report the blob forever.
 *
 * Blobs that are removed from the registry without this wrapper leave stale entries.
 */
export function cachedDescriptors(
  registry: Registry,
  cache: BlobDescriptorService,
  options: CachedDescriptorsOptions = {},
): Registry {
  checkRegistry('cachedDescriptors', registry);
  checkFields('cachedDescriptors', 'the cache', cache, {
    stat: 'function',
    setDescriptor: 'function',
    clear: 'function',
  });
  checkOptions('cachedDescriptors', options, { onCacheError: 'function' });
  const { onCacheError } = options;
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
      // Another request may have cached it again before it was deleted.
      await attempt(() => cache.clear(repo, digest, opts), undefined);
    },
    deleteManifest: (repo, digest, opts) => registry.deleteManifest(repo, digest, opts),
    deleteTag: (repo, tag, opts) => registry.deleteTag(repo, tag, opts),
    repositories: (opts) => registry.repositories(opts),
    tags: (repo, opts) => registry.tags(repo, opts),
    referrers: (repo, digest, opts) => registry.referrers(repo, digest, opts),
  };
}

// Others may write to the cache, so its entries are checked.
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
