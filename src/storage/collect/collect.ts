import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { CollectResult, GarbageCollector } from '../../registry/extensions.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { walkBlobs } from '../blobs/blobs.ts';
import { readSoundLink } from '../blobs/links.ts';
import type { ObjectFacts } from '../driver.ts';
import { digestsIn } from '../listing.ts';
import { walkRepositories } from '../manifests/repositories.ts';
import { Collection } from '../marks/collection.ts';
import { blobPath, layerLinkPath, layersPath, repositoriesPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { removeAbandonedPartials, removeAbandonedUploads } from './abandoned.ts';
import { markRepository } from './mark.ts';
import { removeScraps } from './scraps.ts';

/** What transfers of earlier versions that are under way have touched within this time stays. */
const unmarkedGraceMs = 60 * 60 * 1_000;

interface Sweep {
  readonly collection: Collection;
  readonly needed: Set<Digest>;
  readonly dryRun: boolean;
  isYoung(facts: ObjectFacts | undefined): boolean;
}

/** Marks and sweeps while others read and write. What a writer counts on he has marked; see marks/marks.ts. */
export function createCollector(store: Store): GarbageCollector {
  return {
    async collect(opts) {
      opts?.signal?.throwIfAborted();
      const collection = await Collection.begin(store.driver);
      try {
        return await sweep(store, collection, opts);
      } finally {
        await collection.end();
      }
    },
  };
}

async function sweep(
  store: Store,
  collection: Collection,
  opts: Parameters<GarbageCollector['collect']>[0],
): Promise<CollectResult> {
  const dryRun = opts?.dryRun === true;
  const graceMs = opts?.graceMs ?? (collection.isWithUnmarked ? unmarkedGraceMs : 0);
  const cutoff = collection.startedAt.getTime() - graceMs;
  const isYoung: Sweep['isYoung'] = (facts) => graceMs > 0 && facts !== undefined && facts.storedAt.getTime() >= cutoff;
  const at: Sweep = { collection, needed: new Set(), dryRun, isYoung };
  for await (const repo of walkRepositories(store.driver, { withUploadsOnly: true })) {
    opts?.signal?.throwIfAborted();
    const { named, stored } = await markRepository(store, repo, opts);
    for (const digest of stored) at.needed.add(digest);
    if (!dryRun) await removeAbandonedUploads(store.driver, repo, collection.startedAt);
    if (!dryRun) await removeScraps(store, repo, collection);
    await sweepLinks(store, repo, named, at);
  }
  const result = await sweepBlobs(store, at, opts);
  if (!dryRun) {
    await removeAbandonedPartials(store, collection.startedAt);
    await store.driver.tidy?.(repositoriesPath);
  }
  return result;
}

// A link that stays keeps its blob: a manifest may come that needs it.
async function sweepLinks(store: Store, repo: RepositoryName, named: ReadonlySet<Digest>, at: Sweep): Promise<void> {
  const { driver } = store;
  const unneeded: Digest[] = [];
  for await (const digest of digestsIn(driver, layersPath(repo))) {
    if (named.has(digest)) continue;
    const link = layerLinkPath(repo, digest);
    if (at.isYoung(await driver.stat(link))) at.needed.add((await readSoundLink(store, link)) ?? digest);
    else unneeded.push(digest);
  }
  if (at.dryRun) return;
  await at.collection.takeAway(unneeded, async (digest) => void (await driver.delete(layerLinkPath(repo, digest))));
}

async function sweepBlobs(store: Store, at: Sweep, opts?: SignalOption): Promise<CollectResult> {
  const sizes = new Map<Digest, number>();
  for await (const blob of walkBlobs(store, { ...opts, except: at.needed, repair: !at.dryRun })) {
    if (!at.isYoung(blob)) sizes.set(blob.digest, blob.size);
  }
  const removed: { digest: Digest; size: number }[] = [];
  await at.collection.takeAway([...sizes.keys()], async (digest) => {
    opts?.signal?.throwIfAborted();
    if (!at.dryRun && !(await store.driver.delete(blobPath(digest)))) return;
    removed.push({ digest, size: sizes.get(digest) ?? 0 });
  });
  return { removed };
}
