/**
 * Locks as files that only one process can create, because Node has no flock. A lock ends with its holder: it is taken
 * over at once if the process is known to be dead; if it may live on another machine, when it shows no heartbeat while
 * we watch. Clocks of two hosts are never compared to decide that: they only determine how long to watch.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrno } from './file-errors.ts';
import { evictionOf, type Look, look, startHeart } from './lock-file.ts';
import type { ProcessState } from './process-id.ts';

/** What all locks of one kind have in common. */
export interface LockRules {
  /** The text of a new lock, which names its holder. It is different each time. */
  sign(): string;
  /** The state of the holder that a lock's text names; `nameless` if it names none, as before the holder has written it. */
  judge(text: string): ProcessState | 'nameless';
  readonly mode: number;
  /**
   * How often a holder shows that it is alive. If absent: never, and a holder whose process lives keeps its lock forever.
   */
  readonly heartbeatMs?: number;
  /** After this time without a heartbeat a holder is suspected to be gone. */
  readonly silenceMs: number;
  /** A suspect that shows no heartbeat for this time while it is watched is gone. */
  readonly watchMs: number;
  /** Runs the creation of the file, and ensures that its directory exists. */
  within<T>(file: string, create: () => Promise<T>): Promise<T>;
  /** A clock that never jumps. Default `performance.now`. */
  nowMs?(): number;
}

export interface HeldLock {
  /** Whether the lock is still ours: a process that was suspended for long may have lost it. */
  check(): Promise<boolean>;
  /** Idempotent. Does not touch the lock of another holder. */
  release(): Promise<void>;
}

interface WaitOptions {
  readonly patienceMs: number;
  readonly pollMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface LockFiles {
  /** Takes the lock; undefined if another holder has it, in this process or another. */
  tryAcquire(file: string): Promise<HeldLock | undefined>;
  /** Takes the lock, waiting for it; undefined after `patienceMs`. */
  acquire(file: string, opts: WaitOptions): Promise<HeldLock | undefined>;
  /** Whether a live holder has the lock. Watches a suspect for as long as needed. */
  isHeld(file: string): Promise<boolean>;
}

/** How far a file's time may be in the future: file systems have coarser clocks than processes. */
const futureMs = 1_000;
const watchPollMs = 50;
const maxWatched = 1_000;

type Verdict = 'live' | 'suspect' | 'gone';

/** @throws The system's errors; from all methods OciError STORAGE_DAMAGED if the file is a link or not a regular file. */
export function createLockFiles(rules: LockRules): LockFiles {
  const nowMs = rules.nowMs ?? (() => performance.now());
  /** Locks whose holders may be alive, with the first time this process saw them in their current state. */
  const watched = new Map<string, { readonly mark: string; readonly sinceMs: number }>();

  function verdict(file: string, { text, modifiedMs, mark }: Look): Verdict {
    const state = rules.judge(text);
    if (state === 'dead') return 'gone';
    if (state === 'alive' && rules.heartbeatMs === undefined) return 'live';
    const known = watched.get(file);
    const seen = known?.mark === mark ? known : { mark, sinceMs: nowMs() };
    // Keeps the map small in a process that runs for long.
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

  /** @returns Whether there is no lock, or no longer one. */
  async function clear(file: string): Promise<boolean> {
    const seen = await look(file);
    if (seen === undefined) return true;
    if (verdict(file, seen) !== 'gone') return false;
    // Who removes this one lock has a lock for that, so that nobody removes the lock of the process that came next.
    const eviction = await tryAcquire(evictionOf(file, seen));
    if (eviction === undefined) return false;
    try {
      const now = await look(file);
      if (now === undefined) return true;
      if (now.mark !== seen.mark) return false;
      await unlink(file).catch((error: unknown) => {
        if (!hasErrno(error, 'ENOENT')) throw error;
      });
      return true;
    } finally {
      await eviction.release();
    }
  }

  return {
    tryAcquire,

    async acquire(file, { patienceMs, pollMs, signal }) {
      for (const untilMs = nowMs() + patienceMs; ; ) {
        signal?.throwIfAborted();
        const lock = await tryAcquire(file);
        if (lock !== undefined) return lock;
        if (nowMs() > untilMs) return undefined;
        // A random pause, so that waiting processes do not all try at the same moment.
        const pauseMs = pollMs * (0.5 + Math.random());
        await sleep(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
      }
    },

    async isHeld(file) {
      for (let earlier: string | undefined; ; ) {
        const seen = await look(file);
        if (seen === undefined) return false;
        // The lock changed while it was watched: its holder is alive.
        if (earlier !== undefined && earlier !== seen.mark) return true;
        const found = verdict(file, seen);
        if (found !== 'suspect') return found === 'live';
        earlier = seen.mark;
        await sleep(watchPollMs);
      }
    },
  };
}
