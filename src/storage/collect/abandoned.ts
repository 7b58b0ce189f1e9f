import type { RepositoryName } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { StorePath } from '../driver.ts';
import { walkRepositories } from '../manifests/repositories.ts';
import { childPath, leasesPath, partialsPath, uploadsPath } from '../paths.ts';
import type { Store } from '../store.ts';

const dayMs = 24 * 60 * 60 * 1_000;
/** As long as distribution keeps them. */
const abandonedMs = 7 * dayMs;

/** Removes downloads that nobody went on with, drafts of crashed writers, and leases of dead processes. */
export async function removeAbandonedFiles({ driver, now }: Store): Promise<void> {
  const cutoff = now().getTime() - abandonedMs;
  for (const algorithm of await driver.list(partialsPath)) {
    const directory = childPath(partialsPath, algorithm);
    const entries = await driver.list(directory);
    for (const entry of entries) {
      const path = childPath(directory, entry);
      const facts = await driver.stat(path);
      if (facts === undefined || facts.modifiedAt.getTime() >= cutoff) continue;
      const lock = childPath(directory, { name: `${entry.name.split('.', 1)[0]}.lock` });
      if ((await driver.locks?.isHeld(lock)) !== true) await driver.remove(path);
    }
    await driver.removeEmptyDirectory(directory);
  }
  for (const entry of await driver.list(leasesPath)) {
    const path = childPath(leasesPath, entry);
    if ((await driver.locks?.isHeld(path)) === false) await driver.remove(path);
  }
  await driver.removeTemporary(new Date(now().getTime() - dayMs));
}

/** Removes such sessions of every repository. */
export async function sweepUploads(store: Store, opts: SignalOption & { readonly idleMs: number }): Promise<void> {
  for await (const repo of walkRepositories(store.driver, { withUploadsOnly: true })) {
    opts.signal?.throwIfAborted();
    await removeAbandonedUploads(store, repo, opts.idleMs);
  }
}

/** Removes a repository's upload sessions that have not been written to for so long, a week where nothing is said. */
export async function removeAbandonedUploads(
  { driver, now }: Store,
  repo: RepositoryName,
  idleMs = abandonedMs,
): Promise<void> {
  const cutoff = now().getTime() - idleMs;
  for (const entry of await driver.list(uploadsPath(repo))) {
    const path = childPath(uploadsPath(repo), entry);
    if ((await lastWrite(path)) < cutoff) await driver.removeTree(path);
  }

  async function lastWrite(directory: StorePath): Promise<number> {
    let latest = 0;
    for (const entry of await driver.list(directory)) {
      const facts = await driver.stat(childPath(directory, entry));
      latest = Math.max(latest, facts?.modifiedAt.getTime() ?? 0);
    }
    return latest;
  }
}
