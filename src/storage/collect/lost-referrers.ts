import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { digestsIn } from '../listing.ts';
import type { Collection } from '../marks/collection.ts';
import { referrerLinkPath, referrersPath, referrersRootPath, revisionLinkPath } from '../paths.ts';
import type { Store } from '../store.ts';

/**
 * Removes the links of referrers whose manifests are not there: a referrer that is pushed again while its manifest is
 * deleted leaves one, and so does a killed push. Whoever is writing one has marked the manifest's digest.
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
