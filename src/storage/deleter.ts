import type { Digest } from '../model/digest.ts';
import { isOciError } from '../model/errors.ts';
import { parseManifest } from '../model/manifest/manifest.ts';
import { type RepositoryName, tryParseTag } from '../model/reference/reference.ts';
import type { RepositoryRemover } from '../registry/extensions.ts';
import type { Deleter, SignalOption } from '../registry/registry.ts';
import { readSoundLink } from './blobs/links.ts';
import { pruneUpwards } from './collect/sweep.ts';
import { loadManifest, nameUnknown, repositoryExists } from './manifests/manifests.ts';
import {
  layerLinkPath,
  layersPath,
  manifestsPath,
  mediaTypePath,
  parentPath,
  referrerLinkPath,
  referrersRootPath,
  repositoriesPath,
  repositoryPath,
  revisionLinkPath,
  tagCurrentPath,
  tagPath,
  tagsPath,
  uploadsPath,
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
      if (!(await driver.remove(link))) throw blobUnknown(repo, digest);
      await pruneUpwards(store, parentPath(link), layersPath(repo));
    },

    async deleteManifest(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const link = revisionLinkPath(repo, digest);
      if ((await driver.stat(link)) === undefined) throw manifestUnknown(repo, digest);
      await removeTagsOf(store, repo, digest, opts);
      const subject = await subjectOf(store, repo, digest);
      if (subject !== undefined) {
        const referrer = referrerLinkPath(repo, subject, digest);
        await driver.remove(referrer);
        await pruneUpwards(store, parentPath(referrer), referrersRootPath(repo));
      }
      await driver.remove(link);
      await driver.remove(mediaTypePath(repo, digest));
      await pruneUpwards(store, parentPath(link), manifestsPath(repo));
    },

    async deleteTag(repo, tag, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await driver.remove(tagCurrentPath(repo, tag)))) throw manifestUnknown(repo, tag);
      await driver.removeTree(tagPath(repo, tag));
    },

    async removeRepository(repo, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await repositoryExists(store, repo))) throw nameUnknown(repo);
      // Tags first: what can be seen by name must not point at what is gone.
      for (const part of [tagsPath, manifestsPath, layersPath, referrersRootPath, uploadsPath]) {
        await driver.removeTree(part(repo));
      }
      await pruneUpwards(store, repositoryPath(repo), repositoriesPath);
    },
  };
}

async function removeTagsOf(store: Store, repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void> {
  for (const { name } of await store.driver.list(tagsPath(repo))) {
    opts?.signal?.throwIfAborted();
    const tag = tryParseTag(name);
    // A damaged tag must not keep every manifest of the repository from being deleted.
    if (tag === undefined || (await readSoundLink(store, tagCurrentPath(repo, tag))) !== digest) continue;
    await store.driver.remove(tagCurrentPath(repo, tag));
    await store.driver.removeTree(tagPath(repo, tag));
  }
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
