import type { Digest } from '../../model/digest.ts';
import { childrenOf, type ManifestView } from '../../model/manifest/manifest.ts';
import { type RepositoryName, tryParseTag } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { ObjectFacts } from '../driver.ts';
import { digestsIn, entriesIn } from '../listing.ts';
import {
  mediaTypePath,
  pinPath,
  referrerLinkPath,
  revisionLinkPath,
  revisionsPath,
  tagCurrentPath,
  tagsPath,
} from '../paths.ts';
import type { Store } from '../store.ts';
import { linkOrDamaged, readView } from './mark.ts';

interface UntaggedOptions extends SignalOption {
  isYoung(facts: ObjectFacts | undefined): boolean;
}

interface Untagged {
  readonly loose: ReadonlyMap<Digest, ManifestView>;
  /** Number of manifests that are kept only because they are recent. */
  readonly recent: number;
}

/**
 * The manifests of a repository that nothing leads to: no tag, no pin, no index and no subject that is kept. Empty if
 * references are unknown, because of a damaged tag or a manifest of an unknown type.
 *
 * @throws OciError STORAGE_DENIED and others if something cannot be read
 */
export async function untaggedManifests(
  store: Store,
  repo: RepositoryName,
  { isYoung, signal }: UntaggedOptions,
): Promise<Untagged> {
  const { driver } = store;
  const loose = new Map<Digest, ManifestView>();
  const young: Digest[] = [];
  const queue = await tagged(store, repo);
  if (queue === undefined) return { loose, recent: 0 };
  for await (const digest of digestsIn(driver, revisionsPath(repo))) {
    signal?.throwIfAborted();
    const facts = await driver.stat(revisionLinkPath(repo, digest));
    if (facts === undefined) continue;
    const view = await readView(store, repo, digest);
    if (view === 'unclear') return { loose: new Map(), recent: 0 };
    if (view === undefined) continue;
    loose.set(digest, view);
    if (isYoung(facts)) young.push(digest);
    if ((await driver.stat(pinPath(repo, digest))) !== undefined) queue.push(digest);
  }
  const referrers = new Map<Digest, Digest[]>();
  for (const [digest, { subject }] of loose) {
    if (subject !== undefined) referrers.set(subject.digest, [...(referrers.get(subject.digest) ?? []), digest]);
  }
  const keep = (from: Digest[]): void => {
    for (let digest = from.pop(); digest !== undefined; digest = from.pop()) {
      const view = loose.get(digest);
      if (!loose.delete(digest) || view === undefined) continue;
      from.push(...childrenOf(view).map((child) => child.digest), ...(referrers.get(digest) ?? []));
    }
  };
  keep(queue);
  const recent = young.filter((digest) => loose.has(digest)).length;
  keep(young);
  return { loose, recent };
}

/** Removes a manifest without tags, so tags are not searched. Its revision link goes last, as in any deletion. */
export async function removeUntagged({ driver }: Store, repo: RepositoryName, digest: Digest, view: ManifestView) {
  if (view.subject !== undefined) await driver.delete(referrerLinkPath(repo, view.subject.digest, digest));
  await driver.delete(mediaTypePath(repo, digest));
  await driver.delete(pinPath(repo, digest));
  await driver.delete(revisionLinkPath(repo, digest));
}

// Undefined if one of the tags is damaged: it could point at any manifest.
async function tagged(store: Store, repo: RepositoryName): Promise<Digest[] | undefined> {
  const targets: Digest[] = [];
  for await (const { name } of entriesIn(store.driver, tagsPath(repo))) {
    const tag = tryParseTag(name);
    const target = tag === undefined ? undefined : await linkOrDamaged(store, tagCurrentPath(repo, tag));
    if (target === 'damaged') return undefined;
    if (target !== undefined) targets.push(target);
  }
  return targets;
}
