import type { Digest } from '../model/digest.ts';
import { isOciError } from '../model/errors.ts';
import { parseManifest } from '../model/manifest/manifest.ts';
import { type RepositoryName, tryParseTag } from '../model/reference/reference.ts';
import type { RepositoryRemover } from '../registry/extensions.ts';
import type { Deleter, SignalOption } from '../registry/registry.ts';
import { readSoundLink } from './blobs/links.ts';
import { deleteBelow, entriesIn } from './listing.ts';
import { loadManifest, nameUnknown, repositoryExists } from './manifests/manifests.ts';
import {
  layerLinkPath,
  layersPath,
  manifestsPath,
  mediaTypePath,
  referrerLinkPath,
  referrersRootPath,
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
      if (!(await driver.delete(link))) throw blobUnknown(repo, digest);
    },

    async deleteManifest(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const link = revisionLinkPath(repo, digest);
      if ((await driver.stat(link)) === undefined) throw manifestUnknown(repo, digest);
      await removeTagsOf(store, repo, digest, opts);
      const subject = await subjectOf(store, repo, digest);
      if (subject !== undefined) {
        await driver.delete(referrerLinkPath(repo, subject, digest));
      }
      await driver.delete(link);
      await driver.delete(mediaTypePath(repo, digest));
    },

    async deleteTag(repo, tag, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await driver.delete(tagCurrentPath(repo, tag)))) throw manifestUnknown(repo, tag);
      await deleteBelow(driver, tagPath(repo, tag));
    },

    async removeRepository(repo, opts) {
      opts?.signal?.throwIfAborted();
      if (!(await repositoryExists(store, repo))) throw nameUnknown(repo);
      // Tags first: what can be seen by name must not point at what is gone. Then what makes no repository by itself:
      // a removal that was cut short can be repeated.
      for (const part of [tagsPath, referrersRootPath, uploadsPath, manifestsPath, layersPath]) {
        await deleteBelow(driver, part(repo));
      }
    },
  };
}

async function removeTagsOf(store: Store, repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void> {
  for await (const { name } of entriesIn(store.driver, tagsPath(repo))) {
    opts?.signal?.throwIfAborted();
    const tag = tryParseTag(name);
    // A damaged tag must not keep every manifest of the repository from being deleted.
    if (tag === undefined || (await readSoundLink(store, tagCurrentPath(repo, tag))) !== digest) continue;
    await store.driver.delete(tagCurrentPath(repo, tag));
    await deleteBelow(store.driver, tagPath(repo, tag));
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
