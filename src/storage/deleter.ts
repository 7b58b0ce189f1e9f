import type { Digest } from '../model/digest.ts';
import { isOciError } from '../model/errors.ts';
import { parseManifest } from '../model/manifest/manifest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { RepositoryRemover } from '../registry/extensions.ts';
import type { Deleter } from '../registry/registry.ts';
import { removeUploads } from './collect/abandoned.ts';
import { deleteBelow } from './listing.ts';
import { loadManifest, nameUnknown, repositoryExists } from './manifests/manifests.ts';
import { removeLostTags, removeRevision } from './manifests/revisions.ts';
import {
  layerLinkPath,
  layersPath,
  manifestsPath,
  referrersRootPath,
  revisionLinkPath,
  tagCurrentPath,
  tagPath,
  tagsPath,
} from './paths.ts';
import { blobUnknown, manifestUnknown } from './reader.ts';
import type { Store } from './store.ts';

/** The deleting part of a storage registry. Blobs stay on disk until they are collected. */
export function createDeleter(store: Store): Deleter & RepositoryRemover {
  const { driver } = store;
  return {
    async deleteBlob(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const link = layerLinkPath(repo, digest);
      if (!(await driver.delete(link))) throw blobUnknown(repo, digest);
    },

    async deleteManifest(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const link = revisionLinkPath(repo, digest);
      if ((await driver.stat(link)) === undefined) throw manifestUnknown(repo, digest);
      await removeRevision(store, { repo, digest, subject: await subjectOf(store, repo, digest) }, opts);
    },

    async deleteTag(repo, tag, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await driver.delete(tagCurrentPath(repo, tag)))) throw manifestUnknown(repo, tag);
      await deleteBelow(driver, tagPath(repo, tag));
    },

    async removeRepository(repo, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await repositoryExists(store, repo))) throw nameUnknown(repo);
      // Tags first: what can be seen by name must not point at what is gone. Then what makes no repository by itself: a
      // removal that was cut short can be repeated. Manifests again: one pushed meanwhile may stand on layers now gone.
      await removeUploads(driver, repo);
      for (const part of [tagsPath, referrersRootPath, manifestsPath, layersPath, manifestsPath]) {
        await deleteBelow(driver, part(repo));
      }
      await removeLostTags(store, repo);
    },
  };
}

// A manifest that cannot be read any more must still be deletable.
async function subjectOf(store: Store, repo: RepositoryName, digest: Digest): Promise<Digest | undefined> {
  try {
    const raw = await loadManifest(store, repo, digest);
    return raw === undefined ? undefined : parseManifest(raw).subject?.digest;
  } catch (error) {
    if (isOciError(error, 'MANIFEST_INVALID', 'STORAGE_DAMAGED')) return undefined;
    throw error;
  }
}
