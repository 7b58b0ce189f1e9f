import { digestAlgorithm } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { blobDescriptor } from '../registry/content.ts';
import type { Writer } from '../registry/registry.ts';
import { findBlob, findLinkedBlob, linkBlob, readSoundLink } from './blobs/links.ts';
import { download, downloadSmall, lockDownload } from './blobs/partial.ts';
import { pushManifest } from './manifests/manifest-writer.ts';
import { layerLinkPath } from './paths.ts';
import type { Store } from './store.ts';
import { createUploads } from './uploads/uploads.ts';

/** Up to this size a blob is sooner fetched twice than fetched under a lock, and resumed. */
const smallBytes = 256 * 1024;

/** The writing half of a storage registry. */
export function createWriter(store: Store): Writer {
  const uploads = createUploads(store);

  return {
    ...uploads,

    async pushBlob(repo, descriptor, source, opts) {
      opts?.signal?.throwIfAborted();
      return await store.marks.during(async () => {
        const isThere = () => adopt(store, repo, descriptor);
        if (descriptor.size <= smallBytes) {
          if (await isThere()) return { descriptor, outcome: 'exists' };
          await linkBlob(store, repo, descriptor.digest, await downloadSmall(store, descriptor, source, opts));
          return { descriptor, outcome: 'pushed' };
        }
        const lock = await lockDownload(store, descriptor, isThere, opts);
        if (lock === undefined) return { descriptor, outcome: 'exists' };
        try {
          const blob = await download(store, descriptor, source, opts);
          await linkBlob(store, repo, descriptor.digest, blob);
          return { descriptor, outcome: 'pushed' };
        } finally {
          await lock.release();
        }
      });
    },

    async mountBlob(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      // Without a source only what the repository itself holds counts: a mount from anywhere would hand out blobs of
      // repositories that the caller may not read.
      const blob =
        (await findLinkedBlob(store, repo, digest)) ??
        (opts?.from === undefined ? undefined : await findLinkedBlob(store, opts.from, digest));
      const linked = blob && (await store.marks.during(() => linkBlob(store, repo, digest, blob)));
      return linked ? blobDescriptor(digest, blob.size) : await uploads.startUpload(repo, opts);
    },

    pushManifest: (repo, manifest, opts) => pushManifest(store, repo, manifest, opts),
  };
}

// A blob that another repository holds is as good: the store is one user's, or guarded by who serves it. What is named by
// its sha256 lies under that name, whatever a link says.
async function adopt(store: Store, repo: RepositoryName, { digest, size }: Descriptor): Promise<boolean> {
  await store.marks.hold([digest]);
  const named = digestAlgorithm(digest) === 'sha256';
  const linked = named ? undefined : await readSoundLink(store, layerLinkPath(repo, digest));
  const blob = (linked && (await findBlob(store, linked))) ?? (await findBlob(store, digest));
  return blob?.size === size && (await linkBlob(store, repo, digest, blob));
}
