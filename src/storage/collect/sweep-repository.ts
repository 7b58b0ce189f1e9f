/** The second half of a collection, for one repository: removes what the survey found, unless it is marked. */
import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { DigestTable } from '../digests/digest-table.ts';
import type { StorePath } from '../driver.ts';
import { deleteAll, digestsIn } from '../listing.ts';
import type { Collection } from '../marks/collection.ts';
import {
  layerLinkPath,
  mediaTypePath,
  pinPath,
  referrerLinkPath,
  revisionLinkPath,
  tagCurrentPath,
  tagIndexLinkPath,
  tagIndexPath,
} from '../paths.ts';
import type { Store } from '../store.ts';
import { is, readGraph } from './graph.ts';
import { addNeeds, type Findings, type Kept, type SurveyOptions } from './survey.ts';
import { removeUntagged, untaggedManifests } from './untagged.ts';

export interface SweepOptions extends SurveyOptions {
  readonly dryRun: boolean;
  readonly onUntagged: (repo: RepositoryName, digest: Digest) => void;
}

/**
 * Removes untagged manifests. One that is marked is kept, with all that it leads to; what it needs is added to `kept`.
 *
 * @returns The layer links that nothing needs then, and how many manifests were kept.
 */
export async function sweepManifests(
  store: Store,
  repo: RepositoryName,
  collection: Collection,
  kept: Kept,
  opts: SweepOptions,
): Promise<{ readonly links: DigestTable; readonly manifests: number }> {
  const graph = await readGraph(store, repo, opts);
  const { levels, recent } = await untaggedManifests(store, repo, graph, opts);
  let marked = 0;
  for (const level of levels) {
    const free = level.filter((number) => !graph.has(number, is.kept));
    marked += level.length - free.length;
    await collection.takeAway(
      free.map((number) => ({ number, digest: graph.digests.at(number) })),
      async (some) => {
        for (const { number, digest } of some) {
          const subject = graph.subjects.get(number);
          const of = subject === undefined ? undefined : graph.digests.at(subject);
          if (!opts.dryRun) await removeUntagged(store, repo, { digest, subject: of });
          opts.onUntagged(repo, digest);
        }
      },
      ({ number }) => {
        marked += 1;
        graph.keep([number]);
      },
    );
  }
  return { links: await addNeeds(store, repo, graph, kept, opts), manifests: recent + marked };
}

/** @returns How many were removed, or would be. */
export async function sweepLinks(
  { driver }: Store,
  repo: RepositoryName,
  links: Iterable<Digest>,
  collection: Collection,
  { dryRun }: { readonly dryRun: boolean },
): Promise<number> {
  let count = 0;
  await collection.takeAway(each(links), async (some) => {
    const paths = some.map(({ digest }) => layerLinkPath(repo, digest));
    count += dryRun ? paths.length : await deleteAll(driver, paths);
  });
  return count;
}

/**
 * Removes small files that killed writers and deleters left: media types and pins without a manifest, histories of
 * deleted tags, and referrer links without a manifest. A writer that is about to create one has marked the manifest's
 * digest.
 */
export async function sweepScraps({ driver }: Store, findings: Findings, collection: Collection): Promise<void> {
  const { repo } = findings;
  const isThere = async (path: StorePath) => (await driver.stat(path)) !== undefined;
  await collection.takeAway(each(findings.unlinked ?? []), async (some) => {
    for (const { digest } of some) {
      if (await isThere(revisionLinkPath(repo, digest))) continue;
      await driver.delete(mediaTypePath(repo, digest));
      await driver.delete(pinPath(repo, digest));
    }
  });
  for (const tag of findings.lostTags) {
    if (await isThere(tagCurrentPath(repo, tag))) continue;
    const past: { digest: Digest }[] = [];
    for await (const digest of digestsIn(driver, tagIndexPath(repo, tag))) past.push({ digest });
    await collection.takeAway(past, async (some) => {
      for (const { digest } of some) {
        if (await isThere(tagCurrentPath(repo, tag))) return;
        await driver.delete(tagIndexLinkPath(repo, tag, digest));
      }
    });
  }
  await collection.takeAway(findings.lostReferrers, async (some) => {
    for (const { subject, digest } of some) {
      if (!(await isThere(revisionLinkPath(repo, digest))))
        await driver.delete(referrerLinkPath(repo, subject, digest));
    }
  });
}

function* each(digests: Iterable<Digest>): Generator<{ readonly digest: Digest }> {
  for (const digest of digests) yield { digest };
}
