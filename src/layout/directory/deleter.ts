import { dirname } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { blobsOf, childrenOf } from '../../model/manifest/manifest.ts';
import type { Deleter } from '../../registry/registry.ts';
import { bearersOf, type LayoutIndex, removeTag } from '../format/index-entries.ts';
import { findDigest, tagsOf } from '../format/index-lookup.ts';
import { findManifest, reachableManifests, unlessDamaged } from '../format/manifests.ts';
import { blobUnknown, manifestUnknown } from '../format/readable-layout.ts';
import { confinedPath } from './confined-path.ts';
import { onFile } from './file-errors.ts';
import { blobFile, type LayoutDirectory, refuseReadOnly } from './layout-directory.ts';
import { keptWithoutTag } from './manifest-writer.ts';
import { removeFile } from './move.ts';

/**
 * The deleting part of a layout. Layers and configs are kept until `deleteBlob`: other images may use them, and tools
 * that collect a layout's garbage find them.
 *
 * Besides the errors of the interface: REFUSED if an index that is kept contains the manifest, and for a blob that
 * index.json lists. Deleting these would break an image.
 */
export function createDeleter(layout: LayoutDirectory): Deleter {
  return {
    async deleteBlob(_repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      await layout.lock.exclusively(async () => {
        if (findDigest(await layout.index.read(), digest) !== undefined) {
          throw new OciError('REFUSED', `${digest} is an image of ${layout.name}, not only a blob`, {
            hint: 'delete it as a manifest',
          });
        }
        if (!(await removeBlob(layout, digest))) throw blobUnknown(layout, digest);
      }, opts);
    },

    async deleteManifest(_repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      await layout.lock.exclusively(async (held) => {
        const index = await layout.index.read();
        const isListed = findDigest(index, digest) !== undefined;
        if (!isListed && !(await unlessDamaged(() => findManifest(layout, digest, opts)))) {
          throw manifestUnknown(layout, digest);
        }
        const entries = index.entries.filter(({ descriptor }) => descriptor?.digest !== digest);
        const isCargo = await refuseNamed(layout, { ...index, entries }, digest);
        await layout.index.replace(index, entries, held);
        if (!isCargo) await removeBlob(layout, digest);
      }, opts);
    },

    async deleteTag(_repo, tag, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      await layout.lock.exclusively(async (held) => {
        const index = await layout.index.read();
        if (!tagsOf(index).has(tag) && bearersOf(index, tag).length === 0) throw manifestUnknown(layout, tag);
        await layout.index.replace(index, removeTag(index, tag, await keptWithoutTag(layout, index, [tag])), held);
      }, opts);
    },
  };
}

/** @returns Whether one of the remaining manifests uses the digest as a blob. */
async function refuseNamed(layout: LayoutDirectory, staying: LayoutIndex, digest: Digest): Promise<boolean> {
  let isCargo = false;
  for await (const { descriptor, view } of reachableManifests(layout, staying)) {
    if (childrenOf(view).some((child) => child.digest === digest)) {
      throw new OciError('REFUSED', `${digest} is a part of ${descriptor.digest}, which stays in ${layout.name}`, {
        hint: `delete ${descriptor.digest} first`,
      });
    }
    isCargo ||= blobsOf(view).some((blob) => blob.digest === digest);
  }
  return isCargo;
}

// If a link replaced `blobs`, a file outside the layout would be removed.
async function removeBlob(layout: LayoutDirectory, digest: Digest): Promise<boolean> {
  const file = blobFile(layout, digest);
  return await onFile('remove', file, async () => {
    try {
      await confinedPath(layout.root, dirname(file));
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
    return await removeFile(file);
  });
}
