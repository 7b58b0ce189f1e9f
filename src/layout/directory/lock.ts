import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileMode } from '../../files/durable.ts';
import { createLockFiles, type HeldLock, type LockFiles } from '../../files/lock.ts';
import { newProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import { OciError } from '../../model/errors.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { onFile, storageError } from './file-errors.ts';
import type { WorkDirectory } from './work-directory.ts';

const pollMs = 20;
/** Work under the lock takes milliseconds: a holder on another machine that is silent for this long is gone. */
const silenceMs = 30_000;
const watchMs = 2_000;
const patienceMs = 60_000;

export interface Held {
  /** @throws OciError UNAVAILABLE if another process took the lock over because it seemed abandoned. */
  check(): Promise<void>;
}

/** Allows one change to a layout at a time, in this process and all others. */
export class LayoutLock {
  readonly #work: WorkDirectory;
  readonly #file: string;
  readonly #locks: LockFiles;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(work: WorkDirectory) {
    this.#work = work;
    this.#file = join(work.path, 'lock');
    this.#locks = createLockFiles({
      sign: newProcessId,
      judge(text) {
        const holder = tryParseProcessId(text);
        return holder === undefined ? 'nameless' : processState(holder);
      },
      mode: fileMode,
      silenceMs,
      watchMs,
      within: (_, create) => work.within(create),
    });
  }

  /** Runs an operation under the lock. @throws OciError UNAVAILABLE if another process holds the lock for a minute. */
  async exclusively<T>(operation: (held: Held) => Promise<T>, opts?: SignalOption): Promise<T> {
    const result = this.#turn.then(async () => {
      const lock = await this.#acquire(opts);
      try {
        return await operation({ check: () => this.#check(lock) });
      } finally {
        await lock.release();
        await this.#work.leave();
      }
    });
    this.#turn = result.catch(() => {});
    return await result;
  }

  async #acquire({ signal }: SignalOption = {}): Promise<HeldLock> {
    const lock = await this.#locks.acquire(this.#file, { patienceMs, pollMs, signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw storageError(error, 'lock', this.#file);
    });
    if (lock !== undefined) return lock;
    const pid = /^\d+/.exec(await readFile(this.#file, 'utf8').catch(() => ''))?.[0] ?? 'unknown';
    throw new OciError('UNAVAILABLE', `process ${pid} holds the lock ${this.#file}`, {
      hint: 'wait until it is done; if no such process uses the layout, remove that file',
    });
  }

  async #check(lock: HeldLock): Promise<void> {
    if (await onFile('lock', this.#file, () => lock.check())) return;
    throw new OciError('UNAVAILABLE', `another process took over the lock ${this.#file}; nothing was changed`);
  }
}
