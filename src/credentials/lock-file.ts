import { hostname } from 'node:os';
import { createLockFiles } from '../files/lock.ts';
import { isRunning, newProcessId, type ProcessState, processState, tryParseProcessId } from '../files/process-id.ts';
import { OciError } from '../model/errors.ts';

const patienceMs = 15_000;

// Edits take milliseconds, so an old lock belongs to a process that died, or is suspended and will notice the loss.
const locks = createLockFiles({
  sign: () => `${process.pid}@${hostname()} ${newProcessId()}`,
  judge: stateOfHolder,
  mode: 0o600,
  silenceMs: 10_000,
  watchMs: 2_000,
  within: (_, create) => create(),
});

interface LockOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one edit at a time among all processes that use the same lock file.
 *
 * @param edit Gets a check that throws OciError UNAVAILABLE if another process took the lock over.
 * @throws OciError TIMEOUT if another process keeps the lock; errors of `edit`.
 */
export async function withLockFile<T>(
  file: string,
  edit: (stillHeld: () => Promise<void>) => Promise<T>,
  { signal }: LockOptions = {},
): Promise<T> {
  const lock = await locks.acquire(file, { patienceMs, pollMs: 25, signal });
  if (lock === undefined) {
    throw new OciError('TIMEOUT', `${file} is held by another process`, {
      hint: 'if no other login is running, remove that file',
    });
  }
  try {
    return await edit(async () => {
      if (await lock.check()) return;
      throw new OciError('UNAVAILABLE', `another process took over the lock ${file}; nothing was changed`);
    });
  } finally {
    await lock.release();
  }
}

// Earlier versions only wrote pid and host, followed by other text.
function stateOfHolder(text: string): ProcessState | 'nameless' {
  const [, pid, host, name = ''] = /^(\d+)@(\S+) (\S+)/.exec(text) ?? [];
  if (pid === undefined) return 'nameless';
  const id = tryParseProcessId(name);
  const isDead = id === undefined ? host === hostname() && !isRunning(Number(pid)) : processState(id) === 'dead';
  return isDead ? 'dead' : 'unknown';
}
