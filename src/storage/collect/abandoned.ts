import { newProcessId } from '../../files/process-id.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Tally } from '../../registry/extensions.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Driver, StorePath } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { walkRepositories } from '../manifests/repositories.ts';
import { childPath, clockPath, isUploadId, uploadsPath, v2Path } from '../paths.ts';
import type { Store } from '../store.ts';
import type { RecentSessions } from '../uploads/recent-sessions.ts';
import { removeSession } from '../uploads/sessions.ts';

/** The same time as distribution's. */
export const abandonedMs = 7 * 24 * 60 * 60 * 1_000;

/**
 * Removes the upload sessions of all repositories that were not written to for this long. Sessions that this process
 * used within that time are kept, even if somebody has set the system clock meanwhile.
 */
export async function sweepUploads(
  { driver, now, sessions }: Store,
  opts: SignalOption & { readonly idleMs: number },
): Promise<void> {
  const { signal, idleMs } = opts;
  for await (const repo of walkRepositories(driver, { withUploadsOnly: true })) {
    signal?.throwIfAborted();
    if (!(await hasAbandonedUploads(driver, repo, { now: now(), idleMs, sessions }))) continue;
    // The system clock may be wrong or have been changed: decide by the store's clock.
    await removeAbandonedUploads(driver, repo, { now: await timeOf(driver), idleMs, sessions });
  }
  if (driver.uploads.left !== undefined) await removeLeft(driver, { now: await timeOf(driver), idleMs, signal });
}

/**
 * Removes what killed processes left of uploads without a session, of all repositories, for drivers that tell of it.
 *
 * @param opts.now The time by the store's clock.
 */
export async function removeLeft(
  { uploads }: Driver,
  { now, idleMs, dryRun, signal }: SignalOption & Omit<Waits, 'sessions'> & { readonly dryRun?: boolean },
): Promise<Tally> {
  const removed = { count: 0, bytes: 0 };
  for await (const { size, remove } of uploads.left?.(v2Path, new Date(now.getTime() - idleMs)) ?? []) {
    signal?.throwIfAborted();
    if (dryRun !== true) await remove();
    removed.count += 1;
    removed.bytes += size;
  }
  return removed;
}

interface Waits {
  readonly now: Date;
  readonly idleMs: number;
  readonly sessions?: RecentSessions;
}

/** Whether {@link removeAbandonedUploads} would remove anything. All are looked at, so that it fails if one cannot be read. */
export async function hasAbandonedUploads(driver: Driver, repo: RepositoryName, waits: Waits): Promise<boolean> {
  let any = false;
  for await (const _ of abandonedSessions(driver, repo, waits)) any = true;
  return any;
}

/**
 * Removes the upload sessions of a repository that were not written to for this long.
 *
 * @param opts.now The time by the store's clock.
 */
export async function removeAbandonedUploads(
  driver: Driver,
  repo: RepositoryName,
  waits: Waits & { readonly dryRun?: boolean },
): Promise<Tally> {
  const removed = { count: 0, bytes: 0 };
  for await (const { path, bytes } of abandonedSessions(driver, repo, waits)) {
    if (waits.dryRun !== true) await removeSession(driver, path);
    removed.count += 1;
    removed.bytes += bytes;
  }
  return removed;
}

/** Removes all upload sessions of a repository, even those in use, and what else is beside them. */
export async function removeUploads(driver: Driver, repo: RepositoryName): Promise<void> {
  for await (const entry of entriesIn(driver, uploadsPath(repo))) {
    const path = childPath(uploadsPath(repo), entry);
    if (entry.kind === 'object') await driver.delete(path);
    else await removeSession(driver, path);
  }
}

async function* abandonedSessions(
  driver: Driver,
  repo: RepositoryName,
  { now, idleMs, sessions }: Waits,
): AsyncGenerator<{ readonly path: StorePath; readonly bytes: number }> {
  for await (const entry of entriesIn(driver, uploadsPath(repo))) {
    if (entry.kind !== 'prefix' || !isUploadId(entry.name)) continue;
    if (sessions?.isRecent(entry.name, idleMs)) continue;
    const session = childPath(uploadsPath(repo), entry);
    const data = await driver.uploads.find(childPath(session, { name: 'data' }));
    if (data?.held === true) continue;
    const begun = await driver.stat(childPath(session, { name: 'startedat' }));
    const last = Math.max(data?.storedAt.getTime() ?? 0, begun?.storedAt.getTime() ?? 0);
    if (now.getTime() - last >= idleMs) yield { path: session, bytes: data?.size ?? 0 };
  }
}

/** The time by the store's clock. */
export async function timeOf(driver: Driver): Promise<Date> {
  const path = clockPath(newProcessId());
  await driver.put(path, new Uint8Array(0), { durable: false });
  const facts = await driver.stat(path);
  await driver.delete(path);
  return facts?.storedAt ?? new Date(0);
}
