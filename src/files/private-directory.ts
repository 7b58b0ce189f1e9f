/**
 * Small files of which nothing depends on any being kept, in directories of this user alone. Its calls are synchronous:
 * each is some system calls on a local disk, and a run makes few.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OciError } from '../model/errors.ts';
import { hasErrno } from './file-errors.ts';

const maxParents = 10;
let drafts = 0;

/**
 * A directory below another, which is made when it is written to. It is used only if it is a directory of this user that nobody
 * else may enter; no link is followed in `base` and below it.
 */
export class PrivateDirectory {
  readonly path: string;
  readonly #base: string;
  readonly #levels: readonly string[];
  readonly #ownBase: boolean;

  /**
   * @param base Exists, or is made.
   * @param levels The names of the directories below it. Each must be private.
   * @param opts.privateBase Whether the base must be private as well, and is not made.
   */
  constructor(base: string, levels: readonly string[], { privateBase = false }: { privateBase?: boolean } = {}) {
    this.path = join(base, ...levels);
    this.#base = base;
    this.#levels = levels;
    this.#ownBase = privateBase;
  }

  /** @returns Undefined if there is no such file, or it is larger. @throws OciError STORAGE_DENIED if it is not private; errors of the system. */
  read(name: string, maxBytes: number): Uint8Array | undefined {
    return unlessMissing(() => {
      this.#check();
      // Without O_NONBLOCK a pipe would block the reader.
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      const descriptor = openSync(join(this.path, name), flags);
      try {
        const stats = fstatSync(descriptor);
        refuseOthers(stats, stats.isFile(), name);
        return stats.size > maxBytes ? undefined : readFileSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  /**
   * Replaces a file whole, also while others read or replace it. Survives no power cut.
   *
   * @param opts.untilMs Its modification time: when {@link sweep} removes it.
   * @throws OciError STORAGE_DENIED if it is not private; errors of the system.
   */
  write(name: string, bytes: Uint8Array | string, { untilMs }: { readonly untilMs?: number } = {}): void {
    this.#make();
    drafts += 1;
    const draft = join(this.path, `.${process.pid}-${Date.now()}-${drafts}.draft`);
    try {
      writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 });
      if (untilMs !== undefined) utimesSync(draft, Date.now() / 1000, untilMs / 1000);
      renameSync(draft, join(this.path, name));
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  }

  /** @returns Whether it was there. @throws OciError STORAGE_DENIED if it is not private; errors of the system. */
  remove(name: string): boolean {
    return (
      unlessMissing(() => {
        this.#check();
        rmSync(join(this.path, name));
        return true;
      }) ?? false
    );
  }

  /** The names of its files. @throws OciError STORAGE_DENIED if it is not private; errors of the system. */
  names(): readonly string[] {
    return (
      unlessMissing(() => {
        this.#check();
        return readdirSync(this.path).filter((name) => !name.startsWith('.'));
      }) ?? []
    );
  }

  /** Removes the files whose time has come, and drafts that were left. @returns How many files remain. */
  sweep(nowMs: number): number {
    return (
      unlessMissing(() => {
        this.#check();
        let kept = 0;
        for (const name of readdirSync(this.path)) {
          const file = join(this.path, name);
          const stats = unlessMissing(() => lstatSync(file));
          const endMs = (stats?.mtimeMs ?? 0) + (name.startsWith('.') ? draftMs : 0);
          if (endMs <= nowMs && stats?.isFile()) rmSync(file, { force: true });
          else kept += 1;
        }
        return kept;
      }) ?? 0
    );
  }

  /** Removes the directory itself with all that is in it. @returns Whether there was anything. */
  removeAll(): boolean {
    return (
      unlessMissing(() => {
        this.#check();
        rmSync(this.path, { recursive: true, maxRetries: 3 });
        return true;
      }) ?? false
    );
  }

  #check(): void {
    let path = this.#base;
    if (this.#ownBase) refuseStranger(path);
    for (const level of this.#levels) {
      path = join(path, level);
      refuseStranger(path);
    }
  }

  #make(): void {
    let path = this.#base;
    if (!this.#ownBase) {
      refuseHomeOfOthers(path);
      makeDirectories(path);
    }
    for (const level of this.#levels) {
      path = join(path, level);
      makeOne(path);
    }
    this.#check();
  }
}

const draftMs = 60 * 60 * 1000;

function refuseStranger(path: string): void {
  const stats = lstatSync(path);
  refuseOthers(stats, stats.isDirectory(), path);
}

// Windows has neither user ids nor these modes; what is in a user's profile there is the user's.
function refuseOthers({ uid, mode }: Stats, isKind: boolean, name: string): void {
  if (!isKind) throw notPrivate(`${name} is a link, or something else`);
  const user = process.geteuid?.();
  if (user === undefined) return;
  if (uid !== user) throw notPrivate(`${name} belongs to another user`);
  if ((mode & 0o077) !== 0) throw notPrivate(`${name} is open to other users`);
}

// As root with the HOME of a user: directories of root there would be in that user's way.
function refuseHomeOfOthers(path: string): void {
  const stats = unlessMissing(() => lstatSync(path));
  if (stats === undefined && dirname(path) !== path) refuseHomeOfOthers(dirname(path));
  else if (process.geteuid?.() === 0 && stats && stats.uid !== 0) throw notPrivate(`${path} belongs to another user`);
}

// Not Node's recursion, which loops forever where a directory exists but takes no entries (/proc).
function makeDirectories(path: string, depth = 0): void {
  try {
    makeOne(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT') || depth === maxParents) throw error;
    makeDirectories(dirname(path), depth + 1);
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}

function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function notPrivate(message: string): OciError {
  return new OciError('STORAGE_DENIED', message);
}
