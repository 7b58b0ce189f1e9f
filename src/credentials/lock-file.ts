import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { OciError } from '../model/errors.ts';

/** An edit takes milliseconds; a lock this old belongs to a process that died. */
const staleMs = 10_000;
const waitMs = 15_000;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one edit at a time among all processes that use the same lock file.
 *
 * @throws OciError TIMEOUT when another process keeps the lock; what `edit` throws.
 */
export async function withLockFile<T>(file: string, edit: () => Promise<T>, opts: LockOptions = {}): Promise<T> {
  const owner = `${process.pid}@${hostname()} ${randomUUID()}`;
  const deadline = Date.now() + waitMs;
  while (!(await tryLock(file, owner))) {
    opts.signal?.throwIfAborted();
    if (await isStale(file)) await breakLock(file);
    else if (Date.now() > deadline) {
      throw new OciError('TIMEOUT', `${file} is held by another process`, {
        hint: 'If no other login is running, remove that file.',
      });
    } else await sleep(10 + Math.random() * 30, undefined, { signal: opts.signal });
  }
  try {
    return await edit();
  } finally {
    if ((await readFile(file, 'utf8').catch(() => '')) === owner) await rm(file, { force: true });
  }
}

async function tryLock(file: string, owner: string): Promise<boolean> {
  try {
    await writeFile(file, owner, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  const [owner, stats] = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(() => []);
  if (owner === undefined || stats === undefined) return false;
  if (Date.now() - stats.mtimeMs > staleMs) return true;
  const [, pid = '', host] = /^(\d+)@(\S+)/.exec(owner) ?? [];
  return host === hostname() && !isAlive(Number(pid));
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

// Moved aside first: of several processes that found the lock stale one wins, and a lock taken since is put back.
async function breakLock(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if (!(await isStale(aside))) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}
