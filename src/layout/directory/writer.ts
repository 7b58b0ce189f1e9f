import { blobDescriptor } from '../../registry/content.ts';
import type { Writer } from '../../registry/registry.ts';
import { unlessDamaged } from '../format/manifests.ts';
import { blobPath } from '../format/paths.ts';
import { writeBlob } from './blob-writer.ts';
import { type LayoutDirectory, refuseReadOnly } from './layout-directory.ts';
import { pushManifest } from './manifest-writer.ts';
import { createUploads } from './uploads.ts';

/** The writing part of a layout. */
export function createWriter(layout: LayoutDirectory): Writer {
  const uploads = createUploads(layout);

  return {
    ...uploads,

    async pushBlob(_repo, descriptor, source, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      // A link out of the layout, or a truncated file, is replaced.
      const present = await unlessDamaged(() => layout.files.stat(blobPath(descriptor.digest)));
      if (present?.size === descriptor.size) return { descriptor, outcome: 'exists' };
      await writeBlob(layout, descriptor, source, opts);
      return { descriptor, outcome: 'pushed' };
    },

    // All repositories are the same one here: a stored blob needs no mount.
    async mountBlob(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      const present = await unlessDamaged(() => layout.files.stat(blobPath(digest)));
      if (present !== undefined) return blobDescriptor(digest, present.size);
      return await uploads.startUpload(repo, { signal: opts?.signal });
    },

    async pushManifest(_repo, manifest, opts) {
      return await pushManifest(layout, manifest, opts);
    },
  };
}
