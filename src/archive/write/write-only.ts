import { type Digest, digestAlgorithm } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type Manifest, readManifest } from '../../model/manifest/manifest.ts';
import { isDigestReference, type Tag } from '../../model/reference/reference.ts';
import { type BlobSource, blobDescriptor, digestMismatch } from '../../registry/content.ts';
import { type ExpectedImage, expectedContent } from '../../registry/expected-content.ts';
import type { ExtensionKey } from '../../registry/extensions.ts';
import type { PushBlobOptions, Registry, SignalOption } from '../../registry/registry.ts';

/** Takes the content of images for an archive, several blobs at once, and completes it. */
export interface ArchiveReceiver {
  /** As `expectedContent` has it. */
  expect(image: ExpectedImage): void;
  complete(): void;
  /** @returns `exists` if the blob is not needed. */
  blob(descriptor: Descriptor, source: BlobSource, opts?: PushBlobOptions): Promise<'exists' | 'pushed'>;
  /** Its bytes have the digest of its descriptor. */
  manifest(manifest: Manifest, opts?: SignalOption): Promise<void>;
  /** @throws OciError PARTLY_FAILED if something of an image did not come; STORAGE_*. */
  finish(opts?: SignalOption): Promise<void>;
}

/**
 * A registry that a transfer writes to. What was pushed can be looked up; it cannot be read or deleted, and blobs come
 * with their digest and size only.
 */
export function createWriteOnly(name: string, receiver: ArchiveReceiver): Registry {
  const blobs = new Map<Digest, number>();
  const manifests = new Map<Digest, Descriptor>();
  const tags = new Map<Tag, Digest>();
  const refuse = async (): Promise<never> => {
    throw new OciError('UNSUPPORTED', `${name} is being written, as a whole: nothing in it can be read or deleted yet`);
  };
  const none = async function* (): AsyncGenerator<never> {
    yield* [];
  };
  return {
    name,
    extension<T>(key: ExtensionKey<T>): T | undefined {
      return (key as ExtensionKey<unknown>) === expectedContent ? (receiver as T) : undefined;
    },
    async ping() {
      return { authorized: true, challenges: [] };
    },
    async statBlob(_repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const size = blobs.get(digest);
      if (size === undefined) throw new OciError('BLOB_UNKNOWN', `${name} has no blob ${digest} yet`);
      return blobDescriptor(digest, size);
    },
    async statManifest(_repo, reference, opts) {
      opts?.signal?.throwIfAborted();
      const digest = isDigestReference(reference) ? reference : tags.get(reference);
      const found = digest && manifests.get(digest);
      if (!found) throw new OciError('MANIFEST_UNKNOWN', `${name} has no manifest ${reference} yet`);
      return found;
    },
    async getManifest(_repo, reference) {
      // A transfer looks for it here first, and then reads it from its source.
      throw new OciError('MANIFEST_UNKNOWN', `${name} is being written: manifest ${reference} cannot be read yet`);
    },
    async pushBlob(_repo, descriptor, source, opts) {
      opts?.signal?.throwIfAborted();
      const outcome = blobs.has(descriptor.digest) ? 'exists' : await receiver.blob(descriptor, source, opts);
      blobs.set(descriptor.digest, descriptor.size);
      return { descriptor, outcome };
    },
    async pushManifest(_repo, raw, opts) {
      opts?.signal?.throwIfAborted();
      const manifest = await readManifest(raw, opts?.digest && digestAlgorithm(opts.digest));
      const { descriptor } = manifest;
      if (opts?.digest !== undefined && opts.digest !== descriptor.digest) {
        throw digestMismatch(opts.digest, descriptor.digest);
      }
      if (!manifests.has(descriptor.digest)) await receiver.manifest(manifest, opts);
      manifests.set(descriptor.digest, descriptor);
      for (const tag of opts?.tags ?? []) tags.set(tag, descriptor.digest);
      return descriptor;
    },
    getBlob: refuse,
    startUpload: refuse,
    resumeUpload: refuse,
    mountBlob: refuse,
    deleteBlob: refuse,
    deleteManifest: refuse,
    deleteTag: refuse,
    repositories: none,
    tags: none,
    referrers: none,
  };
}
