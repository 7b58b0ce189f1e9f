import { link, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileMode } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { newProcessId, type ProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import { OciError } from '../../model/errors.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { readStart } from './confined-files.ts';
import { onFile } from './file-errors.ts';
import { removeFile } from './move.ts';
import type { WorkDirectory } from './work-directory.ts';

const pollMs = 20;
/** What is done under the lock takes milliseconds: whoever holds it for so long on another machine is gone. */
const silenceMs = 30_000;
/** As long for one that says nobody's name: its process was killed while writing it. */
const namelessMs = 2_000;
const patienceMs = 60_000;

export interface Held {
  /** @throws OciError UNAVAILABLE when another process took the lock for abandoned. */
  check(): Promise<void>;
}

/** One change to a layout at a time, in this process and in all others. */
export class LayoutLock {
  readonly #work: WorkDirectory;
  readonly #file: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(work: WorkDirectory) {
    this.#work = work;
    this.#file = join(work.path, 'lock');
  }

  /** Runs an operation alone. @throws OciError UNAVAILABLE when another process keeps the lock for a minute. */
  async exclusively<T>(operation: (held: Held) => Promise<T>, opts?: SignalOption): Promise<T> {
    const result = this.#turn.then(async () => {
      const owner = await this.#acquire(opts);
      try {
        return await operation({ check: () => this.#check(owner) });
      } finally {
        await this.#release(owner);
        await this.#work.leave();
      }
    });
    this.#turn = result.catch(() => {});
    return await result;
  }

  async #acquire(opts?: SignalOption): Promise<ProcessId> {
    const owner = newProcessId();
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      opts?.signal?.throwIfAborted();
      if (await this.#create(owner)) return owner;
      const holder = await this.#staleHolder();
      if (holder !== undefined) await this.#evict(holder, owner);
      else if (performance.now() > untilMs) throw await this.#busy();
      else await sleep(pollMs, undefined, { signal: opts?.signal }).catch(() => opts?.signal?.throwIfAborted());
    }
  }

  // Written aside and linked: nobody sees a lock without its owner, even if the process is killed in between.
  async #create(owner: ProcessId): Promise<boolean> {
    const aside = join(this.#work.path, `lock.${owner}`);
    return await onFile('lock', this.#file, async () => {
      try {
        await this.#work.within(() => writeFile(aside, owner, { flag: 'wx', mode: fileMode }));
        await link(aside, this.#file).catch(async (error: unknown) => {
          // FAT and some network file systems have no hard links.
          if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error;
          await writeFile(this.#file, owner, { flag: 'wx', mode: fileMode });
        });
        return true;
      } catch (error) {
        if (hasErrno(error, 'EEXIST')) return false;
        throw error;
      } finally {
        await removeFile(aside).catch(() => {});
      }
    });
  }

  async #check(owner: ProcessId): Promise<void> {
    if ((await contentOf(this.#file)) === owner) return;
    throw new OciError('UNAVAILABLE', `another process took over the lock ${this.#file}; nothing was changed`);
  }

  async #release(owner: ProcessId): Promise<void> {
    if ((await contentOf(this.#file).catch(() => undefined)) === owner) await unlink(this.#file).catch(() => {});
  }

  /** What is in a lock that can be taken over; undefined for one that is held, or gone. */
  async #staleHolder(): Promise<string | undefined> {
    return await onFile('lock', this.#file, async () => {
      const content = await contentOf(this.#file);
      const holder = content === undefined ? undefined : tryParseProcessId(content);
      if (content === undefined) return undefined;
      const state = holder === undefined ? 'nameless' : processState(holder);
      if (state === 'alive' || state === 'dead') return state === 'dead' ? content : undefined;
      return (await ageMs(this.#file)) > (state === 'nameless' ? namelessMs : silenceMs) ? content : undefined;
    });
  }

  // Renaming takes the file from exactly one of several that found it stale. What was taken is looked at again, since
  // it may have become another's in between; then it is put back.
  async #evict(stale: string, owner: ProcessId): Promise<void> {
    const aside = join(this.#work.path, `stale.${owner}`);
    await onFile('lock', this.#file, async () => {
      try {
        await rename(this.#file, aside);
        // Where it cannot be put back, its holder notices before it changes anything.
        if ((await contentOf(aside)) !== stale) await link(aside, this.#file).catch(() => {});
      } catch (error) {
        if (!hasErrno(error, 'ENOENT')) throw error;
      } finally {
        await removeFile(aside).catch(() => {});
      }
    });
  }

  async #busy(): Promise<OciError> {
    const pid = (await contentOf(this.#file).catch(() => undefined))?.split('-', 1)[0] ?? 'unknown';
    return new OciError('UNAVAILABLE', `process ${pid} holds the lock ${this.#file}`, {
      hint: 'wait until it is done; if no such process uses the layout, remove that file',
    });
  }
}

// A hostile layout's lock may be a pipe, which would hang the reader, or a link to a device without end.
async function contentOf(file: string): Promise<string | undefined> {
  const bytes = await readStart(file, 200);
  return bytes && Buffer.from(bytes).toString('utf8');
}

async function ageMs(file: string): Promise<number> {
  return Date.now() - (await stat(file).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
}
