/**
 * Locks as files that only one process can create, since Node has no flock. A lock ends with its holder: one whose
 * process is dead is taken over at once, one that may live elsewhere when it gives no sign while we watch. Clocks of two
 * hosts are never compared for that: they only say how long to watch.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrno } from './file-errors.ts';
import { evict, type Look, look, startHeart } from './lock-file.ts';
import type { ProcessState } from './process-id.ts';

/** What the locks of one kind have in common. */
export interface LockRules {
  /** What a new lock says of its holder: another text each time. */
  sign(): string;
  /** What a lock's text tells of its holder; `nameless` where it names none, as one that is still to be signed. */
  judge(text: string): ProcessState | 'nameless';
  readonly mode: number;
  /** How often a holder shows that it lives. Absent: never, and one that certainly lives is believed for ever. */
  readonly heartbeatMs?: number;
  /** A holder of which nothing has been heard for so long is suspected to be gone. */
  readonly silenceMs: number;
  /** A suspect that gives no sign while it is watched for so long is gone. */
  readonly watchMs: number;
  /** Runs what creates the file, and sees to its directory. */
  within<T>(file: string, create: () => Promise<T>): Promise<T>;
  /** A clock that never jumps. Default `performance.now`. */
  nowMs?(): number;
}

export interface HeldLock {
  /** Whether it is still ours: a holder that slept for long may find it taken over. */
  check(): Promise<boolean>;
  /** Idempotent; leaves another's lock alone. */
  release(): Promise<void>;
}

interface WaitOptions {
  readonly patienceMs: number;
  readonly pollMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface LockFiles {
  /** The lock, or undefined while another holder, in this process or another, has it. */
  tryAcquire(file: string): Promise<HeldLock | undefined>;
  /** The same, waiting; undefined when patience is at its end. */
  acquire(file: string, opts: WaitOptions): Promise<HeldLock | undefined>;
  /** Whether a live holder has it. Watches a suspect for as long as it takes. */
  isHeld(file: string): Promise<boolean>;
}

/** By so much may a file be from the future: clocks of file systems are coarser than ours. */
const futureMs = 1_000;
const watchPollMs = 50;
const maxWatched = 1_000;

type Verdict = 'live' | 'suspect' | 'gone';

/** @throws Whatever the system says; OciError STORAGE_DAMAGED from all methods where the file is a link or no file. */
export function createLockFiles(rules: LockRules): LockFiles {
  const nowMs = rules.nowMs ?? (() => performance.now());
  /** Files of suspects and others that may live, as they were first seen so. */
  const watched = new Map<string, { readonly mark: string; readonly sinceMs: number }>();

  function verdict(file: string, { text, modifiedMs, mark }: Look): Verdict {
    const state = rules.judge(text);
    if (state === 'dead') return 'gone';
    if (state === 'alive' && rules.heartbeatMs === undefined) return 'live';
    const known = watched.get(file);
    const seen = known?.mark === mark ? known : { mark, sinceMs: nowMs() };
    // Names of locks that are gone do not pile up in a process that runs for long.
    if (watched.size >= maxWatched) watched.clear();
    watched.set(file, seen);
    const ageMs = Date.now() - modifiedMs;
    const suspect = state === 'nameless' || ageMs > rules.silenceMs || ageMs < -futureMs;
    if (nowMs() - seen.sinceMs >= (suspect ? rules.watchMs : rules.silenceMs)) return 'gone';
    return suspect ? 'suspect' : 'live';
  }

  async function tryAcquire(file: string): Promise<HeldLock | undefined> {
    const text = rules.sign();
    const handle = (await create(file, text)) ?? ((await clear(file)) ? await create(file, text) : undefined);
    if (handle === undefined) return undefined;
    watched.delete(file);
    return await held(file, text, handle);
  }

  async function create(file: string, text: string): Promise<FileHandle | undefined> {
    const handle = await rules
      .within(file, () => open(file, 'wx', rules.mode))
      .catch((error: unknown) => {
        if (hasErrno(error, 'EEXIST')) return undefined;
        throw error;
      });
    try {
      await handle?.writeFile(text);
      return handle;
    } catch (error) {
      await handle?.close();
      await unlink(file).catch(() => {});
      throw error;
    }
  }

  async function held(file: string, text: string, handle: FileHandle): Promise<HeldLock> {
    const heart = rules.heartbeatMs === undefined ? await handle.close() : startHeart(handle, rules.heartbeatMs);
    const check = async (): Promise<boolean> => (await look(file))?.text === text;
    let released = false;
    return {
      check,
      async release() {
        if (released) return;
        released = true;
        await heart?.stop();
        if (await check().catch(() => false)) await unlink(file).catch(() => {});
      },
    };
  }

  /** @returns Whether there is no lock, or no longer. */
  async function clear(file: string): Promise<boolean> {
    const seen = await look(file);
    if (seen === undefined) return true;
    if (verdict(file, seen) !== 'gone') return false;
    // A holder may have let go and ended between the look and the verdict: what is there now is another's.
    const now = await look(file);
    if (now === undefined) return true;
    if (now.mark !== seen.mark) return false;
    await evict(file, seen);
    return true;
  }

  return {
    tryAcquire,

    async acquire(file, { patienceMs, pollMs, signal }) {
      for (const untilMs = nowMs() + patienceMs; ; ) {
        signal?.throwIfAborted();
        const lock = await tryAcquire(file);
        if (lock !== undefined) return lock;
        if (nowMs() > untilMs) return undefined;
        // Those that wait together do not try together.
        const pauseMs = pollMs * (0.5 + Math.random());
        await sleep(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
      }
    },

    async isHeld(file) {
      for (let earlier: string | undefined; ; ) {
        const seen = await look(file);
        if (seen === undefined) return false;
        // A suspect that moves is none.
        if (earlier !== undefined && earlier !== seen.mark) return true;
        const found = verdict(file, seen);
        if (found !== 'suspect') return found === 'live';
        earlier = seen.mark;
        await sleep(watchPollMs);
      }
    },
  };
}
