import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { CollectResult, GarbageCollector } from '../../registry/extensions.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { walkBlobs } from '../blobs/blobs.ts';
import { hasLiveLease } from '../blobs/lease.ts';
import { walkRepositories } from '../manifests/repositories.ts';
import { blobPath, blobsPath, digestsIn, layerLinkPath, layersPath, parentPath, repositoriesPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { removeAbandonedFiles, removeAbandonedUploads } from './abandoned.ts';
import { markRepository } from './mark.ts';
import { pruneEmpty, pruneUpwards, removeUntouched, restoreAside } from './sweep.ts';

const leaseGraceMs = 60 * 60 * 1_000;

/**
 * Marks and sweeps while others read and write. Whatever a writer counts on it touches, and what was touched after
 * the collection began stays; leases stretch that back over transfers that began before it.
 */
export function createCollector(store: Store): GarbageCollector {
  return {
    async collect(opts) {
      opts?.signal?.throwIfAborted();
      const started = store.now().getTime();
      // File times are kept to the millisecond: from here on, whatever is touched is later than what was before.
      await sleep(2);
      const graceMs = opts?.graceMs ?? ((await hasLiveLease(store)) ? leaseGraceMs : 0);
      const cutoff = new Date(started + 1 - graceMs);
      const dryRun = opts?.dryRun === true;

      const needed = new Set<Digest>();
      for await (const repo of walkRepositories(store.driver, { withUploadsOnly: true })) {
        opts?.signal?.throwIfAborted();
        const { named, stored } = await markRepository(store, repo, opts);
        for (const digest of stored) needed.add(digest);
        if (dryRun) continue;
        await removeAbandonedUploads(store, repo);
        await sweepLinks(store, repo, named, cutoff);
      }
      const result = await sweepBlobs(store, needed, cutoff, dryRun, opts);
      if (!dryRun) {
        await pruneEmpty(store, repositoriesPath);
        await removeAbandonedFiles(store);
      }
      return result;
    },
  };
}

async function sweepLinks(store: Store, repo: RepositoryName, named: ReadonlySet<Digest>, cutoff: Date): Promise<void> {
  for await (const digest of digestsIn(store.driver, layersPath(repo))) {
    if (named.has(digest)) continue;
    const link = layerLinkPath(repo, digest);
    await restoreAside(store, link);
    if (await removeUntouched(store, link, cutoff)) await pruneUpwards(store, parentPath(link), layersPath(repo));
  }
}

async function sweepBlobs(
  store: Store,
  needed: ReadonlySet<Digest>,
  cutoff: Date,
  dryRun: boolean,
  opts?: SignalOption,
): Promise<CollectResult> {
  const removed: { digest: Digest; size: number }[] = [];
  for await (const { digest, size, modifiedAt } of walkBlobs(store, { ...opts, repair: !dryRun })) {
    if (needed.has(digest) || modifiedAt >= cutoff) continue;
    const path = blobPath(digest);
    if (!dryRun && !(await removeUntouched(store, path, cutoff))) continue;
    removed.push({ digest, size });
    if (!dryRun) await pruneUpwards(store, parentPath(path), blobsPath);
  }
  return { removed };
}
