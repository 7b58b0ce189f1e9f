import { digestAlgorithm } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { blobDescriptor } from '../registry/content.ts';
import type { Writer } from '../registry/registry.ts';
import { findBlob, findLinkedBlob, linkBlob, readSoundLink } from './blobs/links.ts';
import { download, downloadSmall, lockDownload, smallBytes } from './blobs/partial.ts';
import { pushManifest } from './manifests/manifest-writer.ts';
import { layerLinkPath } from './paths.ts';
import type { Store } from './store.ts';
import { createUploads } from './uploads/uploads.ts';

/** The writing part of a storage registry. */
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
      // Without a source, only blobs of the repository itself count: a mount from any repository would expose blobs of
      // repositories that the client may not read.
      const blob =
        (await findLinkedBlob(store, repo, digest)) ??
        (opts?.from === undefined ? undefined : await findLinkedBlob(store, opts.from, digest));
      const linked = blob && (await store.marks.during(() => linkBlob(store, repo, digest, blob)));
      return linked ? blobDescriptor(digest, blob.size) : await uploads.startUpload(repo, opts);
    },

    pushManifest: (repo, manifest, opts) => pushManifest(store, repo, manifest, opts),
  };
}

// A blob that any repository has is used as well: the store belongs to one user, or the server guards it. A sha256
// digest is always the name of the blob itself, so the link is not read for it.
async function adopt(store: Store, repo: RepositoryName, { digest, size }: Descriptor): Promise<boolean> {
  await store.marks.hold([digest]);
  const named = digestAlgorithm(digest) === 'sha256';
  const linked = named ? undefined : await readSoundLink(store, layerLinkPath(repo, digest));
  const blob = (linked && (await findBlob(store, linked))) ?? (await findBlob(store, digest));
  return blob?.size === size && (await linkBlob(store, repo, digest, blob));
}
