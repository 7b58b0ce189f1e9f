import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fileMode, inDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { newProcessId, type ProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import type { Lock, Locks, StorePath } from '../driver.ts';

const heartbeatMs = 1_000;
/** A holder that has not been heard of for so long is taken for gone, wherever it runs. */
const silenceMs = 15_000;

type Change = <T>(action: string, path: StorePath, operation: (file: string) => Promise<T>) => Promise<T>;

interface Seen {
  readonly holder: ProcessId | undefined;
  readonly live: boolean;
}

/**
 * Locks as files that only one process can create, kept fresh by a heartbeat, since Node has no flock.
 * A holder that is dead or silent is taken over.
 */
export function createFileLocks(fileOf: (path: StorePath) => string, change: Change): Locks {
  return {
    async tryAcquire(path) {
      return await change('lock', path, async (file) => {
        const holder = newProcessId();
        const created = await create(file, holder);
        if (created !== undefined) return created;
        const seen = await look(file);
        if (seen?.live) return undefined;
        if (seen !== undefined) await steal(file, seen.holder);
        return await create(file, holder);
      });
    },
    async isHeld(path) {
      return (await look(fileOf(path)))?.live ?? false;
    },
  };
}

async function create(file: string, holder: ProcessId): Promise<Lock | undefined> {
  let handle: FileHandle;
  try {
    handle = await inDirectory(dirname(file), () => open(file, 'wx', fileMode));
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return undefined;
    throw error;
  }
  try {
    await handle.writeFile(JSON.stringify({ holder, pid: process.pid, hostname: hostname() }));
  } catch (error) {
    await handle.close();
    await unlink(file).catch(() => {});
    throw error;
  }
  // The heart beats on the open file, not on its name, which may have become somebody else's.
  const heart = setInterval(() => {
    const now = new Date();
    handle.utimes(now, now).catch(() => {});
  }, heartbeatMs);
  heart.unref();
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      clearInterval(heart);
      await handle.close().catch(() => {});
      if ((await look(file).catch(() => undefined))?.holder === holder) await unlink(file).catch(() => {});
    },
  };
}

async function look(file: string): Promise<Seen | undefined> {
  try {
    const holder = readHolder(await readFile(file, 'utf8'));
    const { mtimeMs } = await stat(file);
    const silent = Math.abs(Date.now() - mtimeMs) > silenceMs;
    return { holder, live: !silent && (holder === undefined || processState(holder) !== 'dead') };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

// Renaming takes the file away from exactly one of several that found it stale; what was taken is then looked at,
// because between looking and renaming another may have taken it over. A live one is put back.
async function steal(file: string, stale: ProcessId | undefined): Promise<void> {
  const taken = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(file, taken);
    if ((await look(taken))?.holder !== stale) await link(taken, file);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EEXIST')) throw error;
  } finally {
    await unlink(taken).catch(() => {});
  }
}

// The content is another process's: an empty file is one that was created this very moment.
function readHolder(text: string): ProcessId | undefined {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || !('holder' in content)) return undefined;
    return typeof content.holder === 'string' ? tryParseProcessId(content.holder) : undefined;
  } catch {
    return undefined;
  }
}
