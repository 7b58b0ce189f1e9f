import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fileMode } from '../../files/durable.ts';
import { createLockFiles } from '../../files/lock.ts';
import { newProcessId, type ProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import { parseJson } from '../../model/json.ts';
import type { Locks } from '../driver.ts';
import type { Root } from './filesystem-root.ts';

/** A store's locks. They have a heartbeat, because the downloads that they guard may take hours. */
export function createFileLocks({ fileOf, change, directories }: Root): Locks {
  const locks = createLockFiles({
    sign: () => JSON.stringify({ holder: newProcessId(), pid: process.pid, hostname: hostname() }),
    judge(text) {
      const holder = readHolder(text);
      return holder === undefined ? 'nameless' : processState(holder);
    },
    mode: fileMode,
    heartbeatMs: 1_000,
    silenceMs: 15_000,
    watchMs: 3_000,
    within: (file, create) => directories.within(dirname(file), create),
  });
  return {
    tryAcquire: (path) => change('lock', path, (file) => locks.tryAcquire(file)),
    isHeld: (path) => locks.isHeld(fileOf(path)),
  };
}

// Written by another process; empty if the lock file was created this moment.
function readHolder(text: string): ProcessId | undefined {
  try {
    const content: unknown = parseJson(text);
    if (typeof content !== 'object' || content === null || !('holder' in content)) return undefined;
    return typeof content.holder === 'string' ? tryParseProcessId(content.holder) : undefined;
  } catch {
    return undefined;
  }
}
