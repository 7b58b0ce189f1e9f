/** The first half of a collection: what each repository needs, and what may go. Nothing is removed before all is read. */
import { type Digest, digestAlgorithm, tryParseDigest } from '../../model/digest.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { atOnce } from '../at-once.ts';
import { readSoundLink } from '../blobs/links.ts';
import { DigestTable } from '../digests/digest-table.ts';
import type { ObjectFacts } from '../driver.ts';
import { digestsIn } from '../listing.ts';
import { layerLinkPath, layersPath, referrersPath, referrersRootPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { is, type RepositoryGraph, readGraph, readsAtOnce } from './graph.ts';
import { type Policy, untaggedManifests } from './untagged.ts';
import { linkOrDamaged } from './views.ts';

/** The digests of blobs that stay. */
export interface Kept {
  /** Referenced by manifests. */
  readonly needed: DigestTable;
  /** Linked recently, but not referenced: the manifest that needs it may follow. */
  readonly linked: DigestTable;
  /** Linked, but not needed: findings name them by number, since there may be tens of thousands of repositories. */
  readonly unneeded: DigestTable;
}

export interface SurveyOptions extends SignalOption {
  readonly policy: Policy;
  /** Undefined: nothing is young. */
  readonly isYoung: ((facts: ObjectFacts | undefined) => boolean) | undefined;
}

/** What may go from a repository. */
export interface Findings {
  readonly repo: RepositoryName;
  /** Whether some manifests may go: then the repository is read again, because each is judged by itself. */
  readonly hasUntagged: boolean;
  /** Number of untagged manifests that are kept only because they are recent. */
  readonly recent: number;
  /** Layer links, as numbers in {@link Kept.unneeded}. */
  readonly links: Uint32Array;
  /** Referrer links without a manifest, by their subject. */
  readonly lostReferrers: readonly { readonly subject: Digest; readonly digest: Digest }[];
  /** Entries of revisions without a link, with a media type or a pin. */
  readonly unlinked: DigestTable | undefined;
  /** Tags without a target, which may have a history. */
  readonly lostTags: readonly Tag[];
}

/** Reads a repository, and adds what it needs to `kept`. Undefined: nothing of it may go. */
export async function surveyRepository(
  store: Store,
  repo: RepositoryName,
  kept: Kept,
  opts: SurveyOptions,
): Promise<Findings | undefined> {
  const graph = await readGraph(store, repo, opts);
  const { levels, recent } = await untaggedManifests(store, repo, graph, opts);
  const { unlinked, lostTags } = graph;
  const links = await addNeeds(store, repo, graph, kept, opts);
  const findings = {
    repo,
    hasUntagged: levels.length > 0,
    recent,
    links: Uint32Array.from([...links], (digest) => kept.unneeded.add(digest)),
    lostReferrers: await lostReferrers(store, repo, graph),
    unlinked: unlinked.size > 0 ? unlinked : undefined,
    lostTags,
  };
  const { hasUntagged } = findings;
  const sum = recent + links.size + findings.lostReferrers.length + unlinked.size + lostTags.length;
  return hasUntagged || sum > 0 ? findings : undefined;
}

/**
 * Adds what the kept manifests of a repository need to `kept`.
 *
 * @returns The layer links that are not needed, except young ones.
 */
export async function addNeeds(
  store: Store,
  repo: RepositoryName,
  graph: RepositoryGraph,
  { needed, linked }: Kept,
  { isYoung, signal }: SurveyOptions,
): Promise<DigestTable> {
  for (const number of graph.revisions()) {
    if (!graph.has(number, is.kept)) continue;
    needed.add(graph.storedAs.get(number) ?? graph.digests.at(number));
    for (const to of graph.needs.from(number)) graph.set(to, is.named);
  }
  for (let number = 0; number < graph.digests.size; number += 1) {
    if (graph.has(number, is.named)) await need(graph.digests.at(number));
  }
  const unneeded = new DigestTable();
  await atOnce(digestsIn(store.driver, layersPath(repo)), readsAtOnce, async (digest) => {
    signal?.throwIfAborted();
    if (graph.hasDigest(digest, is.named)) return;
    // If the references of a manifest are unknown, every layer of the repository is kept.
    if (graph.isUnclear) return await need(digest);
    const link = layerLinkPath(repo, digest);
    if (!isYoung?.(await store.driver.stat(link))) unneeded.add(digest);
    else linked.add((await readSoundLink(store, link)) ?? digest);
  });
  return unneeded;

  // A blob that was pushed under its sha256 is stored under it; others may be stored under their sha256 too.
  async function need(digest: Digest): Promise<void> {
    needed.add(digest);
    if (digestAlgorithm(digest) === 'sha256') return;
    const stored = tryParseDigest(await linkOrDamaged(store, layerLinkPath(repo, digest)));
    if (stored !== undefined) needed.add(stored);
  }
}

async function lostReferrers({ driver }: Store, repo: RepositoryName, graph: RepositoryGraph) {
  const lost: { subject: Digest; digest: Digest }[] = [];
  for await (const subject of digestsIn(driver, referrersRootPath(repo))) {
    for await (const digest of digestsIn(driver, referrersPath(repo, subject))) {
      if (!graph.hasDigest(digest, is.revision)) lost.push({ subject, digest });
    }
  }
  return lost;
}
