import type { Descriptor } from '../model/descriptor.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { type Manifest, parseManifest, type RawManifest } from '../model/manifest.ts';
import { isDigestReference, type RepositoryName, type Tag } from '../model/reference.ts';
import { type Content, sizeMismatch, verifiedContent } from '../registry/content.ts';
import { checkRange, inlineContent } from '../registry/inline.ts';
import type { GetBlobOptions, Reader } from '../registry/registry.ts';
import { fileContent } from './file-content.ts';
import { blobDescriptor, findLinkedBlob, readLink, type StoredBlob } from './links.ts';
import { loadManifest } from './manifests.ts';
import { tagCurrentPath } from './paths.ts';
import type { Store } from './store.ts';

/** The reading half of a storage registry. */
export function createReader(store: Store): Reader {
  async function findManifest(
    repo: RepositoryName,
    reference: Tag | Digest,
    ifNoneMatch?: Digest,
  ): Promise<{ digest: Digest; raw: RawManifest }> {
    const digest = await resolve(store, repo, reference);
    if (digest !== undefined && digest === ifNoneMatch) {
      throw new OciError('NOT_MODIFIED', `${repo} still has ${digest} there`);
    }
    const raw = digest === undefined ? undefined : await loadManifest(store, repo, digest);
    if (digest === undefined || raw === undefined) throw manifestUnknown(repo, reference);
    return { digest, raw };
  }

  return {
    async statBlob(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const blob = await findLinkedBlob(store, repo, digest);
      if (blob === undefined) throw blobUnknown(repo, digest);
      return blobDescriptor(digest, blob.size);
    },

    async getBlob(repo, wanted, opts) {
      opts?.signal?.throwIfAborted();
      const inline = typeof wanted === 'string' ? undefined : await inlineContent(wanted, opts?.range);
      const verify = opts?.range === undefined && opts?.verify !== false;
      const content = inline ?? (await openBlob(store, repo, wanted, opts));
      return verify ? await verifiedContent(content) : content;
    },

    async statManifest(repo, reference, opts) {
      opts?.signal?.throwIfAborted();
      const { digest, raw } = await findManifest(repo, reference);
      return { mediaType: raw.mediaType, digest, size: raw.bytes.length };
    },

    async getManifest(repo, reference, opts): Promise<Manifest> {
      opts?.signal?.throwIfAborted();
      const { digest, raw } = await findManifest(repo, reference, opts?.ifNoneMatch);
      const descriptor = { mediaType: raw.mediaType, digest, size: raw.bytes.length };
      return { ...raw, descriptor, view: parseManifest(raw) };
    },
  };
}

/** What a reference stands for; undefined for an unknown tag. A digest stands for itself, here or not. */
export async function resolve(
  store: Store,
  repo: RepositoryName,
  reference: Tag | Digest,
): Promise<Digest | undefined> {
  return isDigestReference(reference) ? reference : await readLink(store, tagCurrentPath(repo, reference));
}

export function manifestUnknown(repo: RepositoryName, reference: Tag | Digest): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${repo} has no manifest ${reference}`);
}

export function blobUnknown(repo: RepositoryName, digest: Digest): OciError {
  return new OciError('BLOB_UNKNOWN', `${repo} has no blob ${digest}`);
}

async function openBlob(
  store: Store,
  repo: RepositoryName,
  wanted: Digest | Descriptor,
  opts: GetBlobOptions | undefined,
): Promise<Content> {
  const range = opts?.range;
  const digest = typeof wanted === 'string' ? wanted : wanted.digest;
  const blob: StoredBlob | undefined = await findLinkedBlob(store, repo, digest);
  if (blob === undefined) throw blobUnknown(repo, digest);
  const descriptor = typeof wanted === 'string' ? blobDescriptor(digest, blob.size) : wanted;
  if (blob.size !== descriptor.size) throw sizeMismatch(descriptor, blob.size);
  if (range !== undefined) checkRange(range, descriptor);
  const file = await store.driver.openRead(blob.path, range);
  if (file === undefined) throw blobUnknown(repo, digest);
  return fileContent(descriptor, file, opts);
}
