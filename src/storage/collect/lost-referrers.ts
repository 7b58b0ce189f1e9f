import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { digestsIn } from '../listing.ts';
import type { Collection } from '../marks/collection.ts';
import { referrerLinkPath, referrersPath, referrersRootPath, revisionLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';

/**
 * Removes referrer links whose manifests are missing. They are left by a killed push, or by a push of a manifest while
 * it is being deleted. A writer that is about to create one has marked the manifest's digest.
 */
export async function removeLostReferrers(
  { driver }: Store,
  repo: RepositoryName,
  collection: Collection,
): Promise<void> {
  const isLost = async (digest: Digest) => (await driver.stat(revisionLinkPath(repo, digest))) === undefined;
  for await (const subject of digestsIn(driver, referrersRootPath(repo))) {
    const lost: Digest[] = [];
    for await (const digest of digestsIn(driver, referrersPath(repo, subject))) {
      if (await isLost(digest)) lost.push(digest);
    }
    await collection.takeAway(lost, async (digest) => {
      if (await isLost(digest)) await driver.delete(referrerLinkPath(repo, subject, digest));
    });
  }
}
