import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import { blobsOf, childrenOf } from '../model/manifest/manifest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { RepositoryRemover, TagRemover, UntaggedRemover } from '../registry/extensions.ts';
import type { Deleter } from '../registry/registry.ts';
import { removeUploads } from './collect/abandoned.ts';
import { deleteBelow } from './listing.ts';
import { loadManifest, nameUnknown, repositoryExists, tryParseManifest } from './manifests/manifests.ts';
import {
  isTagged,
  removeHistory,
  removeLostTags,
  removeRevision,
  removeTag,
  removeUntagged,
} from './manifests/revisions.ts';
import {
  layerLinkPath,
  layersPath,
  manifestsPath,
  referrersRootPath,
  revisionLinkPath,
  tagCurrentPath,
  tagsPath,
} from './paths.ts';
import { blobUnknown, manifestUnknown } from './reader.ts';
import type { Store } from './store.ts';

/** The deleting part of a storage registry. Blobs stay on disk until garbage collection. */
export function createDeleter(store: Store): Deleter & RepositoryRemover & TagRemover & UntaggedRemover {
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
      const found = await readable(store, repo, digest);
      await removeRevision(store, { repo, digest, subject: found?.view.subject?.digest }, opts);
    },

    async removeUntagged(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      if ((await driver.stat(revisionLinkPath(repo, digest))) === undefined) throw manifestUnknown(repo, digest);
      const found = await readable(store, repo, digest);
      if (found === undefined) {
        if (await isTagged(store, { repo, digest, subject: undefined }, opts)) return false;
        await removeRevision(store, { repo, digest, subject: undefined }, opts);
        return true;
      }
      const { raw, view } = found;
      return await store.marks.during(async () => {
        await store.marks.hold([digest, ...[...blobsOf(view), ...childrenOf(view)].map((entry) => entry.digest)]);
        return await removeUntagged(store, { repo, digest, subject: view.subject?.digest, ...raw }, opts);
      });
    },

    async deleteTag(repo, tag, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await driver.delete(tagCurrentPath(repo, tag)))) throw manifestUnknown(repo, tag);
      await removeHistory(store, repo, tag);
    },

    async removeTag(repo, tag, target, opts) {
      opts?.signal?.throwIfAborted();
      return await removeTag(store, repo, tag, target);
    },

    async removeRepository(repo, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await repositoryExists(store, repo))) throw nameUnknown(repo);
      // Tags first, so that no name points at something missing. Then the parts that alone are no repository, so that an
      // interrupted removal can be repeated. Manifests again: one pushed meanwhile may reference layers that are gone now.
      await removeUploads(driver, repo);
      for (const part of [tagsPath, referrersRootPath, manifestsPath, layersPath, manifestsPath]) {
        await deleteBelow(driver, part(repo));
      }
      await removeLostTags(store, repo);
    },
  };
}

// It must be possible to delete a manifest that cannot be read any more.
async function readable(store: Store, repo: RepositoryName, digest: Digest) {
  const raw = await unlessUnknown(loadManifest(store, repo, digest), 'STORAGE_DAMAGED');
  const view = raw && tryParseManifest(raw);
  return raw && view && { raw, view };
}
