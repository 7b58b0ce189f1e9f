import type { Digest } from '../../model/digest.ts';
import { type RepositoryName, tryParseTag } from '../../model/reference/reference.ts';
import { digestsIn, entriesIn } from '../listing.ts';
import type { Collection } from '../marks/collection.ts';
import {
  mediaTypePath,
  pinPath,
  revisionLinkPath,
  revisionsPath,
  tagCurrentPath,
  tagIndexLinkPath,
  tagIndexPath,
  tagsPath,
} from '../paths.ts';
import type { Store } from '../store.ts';

/**
 * Removes small files that killed writers and deleters left: media types and pins without a manifest, and histories of
 * deleted tags. A writer that is about to create one has marked the manifest's digest.
 */
export async function removeScraps({ driver }: Store, repo: RepositoryName, collection: Collection): Promise<void> {
  const isThere = async (path: Parameters<typeof driver.stat>[0]) => (await driver.stat(path)) !== undefined;

  const typed: Digest[] = [];
  for await (const digest of digestsIn(driver, revisionsPath(repo))) {
    if (!(await isThere(revisionLinkPath(repo, digest)))) typed.push(digest);
  }
  await collection.takeAway(typed, async (digest) => {
    if (await isThere(revisionLinkPath(repo, digest))) return;
    await driver.delete(mediaTypePath(repo, digest));
    await driver.delete(pinPath(repo, digest));
  });

  for await (const { name } of entriesIn(driver, tagsPath(repo))) {
    const tag = tryParseTag(name);
    if (tag === undefined || (await isThere(tagCurrentPath(repo, tag)))) continue;
    const past: Digest[] = [];
    for await (const digest of digestsIn(driver, tagIndexPath(repo, tag))) past.push(digest);
    await collection.takeAway(past, async (digest) => {
      if (await isThere(tagCurrentPath(repo, tag))) return;
      await driver.delete(tagIndexLinkPath(repo, tag, digest));
    });
  }
}
