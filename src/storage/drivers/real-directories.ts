import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { directoryMode, makeDirectory, syncDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { waitsForOthers } from '../../files/quick-calls.ts';
import { lstat, mkdir } from '../../files/system-calls.ts';
import { RecentMap } from '../../model/recent-map.ts';
import { isFile, isLink } from '../hidden.ts';

/** Directories that are remembered as checked. A large store has more; they are checked again. */
const maxKnown = 4_096;
/** How often a directory is created again, if another process keeps removing it because it is empty. */
const maxAttempts = 20;

/**
 * Ensures that directories below a root are neither symbolic links nor files. A link leads out of the store: if another user
 * filled the directory, it could expose any file that the serving user can read. The root itself may be a link.
 *
 * A directory is checked once: a user who can replace it by a link while the process runs can change the store's files
 * anyway.
 */
export class RealDirectories {
  readonly #root: string;
  readonly #known = new RecentMap<string, true>(maxKnown);
  /** Directories that were made while this process ran, and whose names may not survive a power cut yet. */
  readonly #unsynced = new Map<string, symbol>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Checks a directory and all its parents.
   *
   * @returns False if it does not exist. A promise where a look may wait for another machine.
   * @throws OciError STORAGE_DAMAGED naming a path that is a link or a file.
   */
  isThere(directory: string): boolean | Promise<boolean> {
    if (this.#isKnown(directory)) return true;
    if (waitsForOthers()) return this.#find(directory);
    const above = this.isThere(dirname(directory));
    if (above !== true) return above;
    // Synchronous, without the thread pool: the file below is accessed next, and the kernel has these entries in its cache.
    return this.#found(directory, lstatSync(directory, { throwIfNoEntry: false }));
  }

  async #find(directory: string): Promise<boolean> {
    if (!(await this.isThere(dirname(directory)))) return false;
    const absent = (error: unknown): undefined => {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    };
    return this.#found(directory, await lstat(directory).catch(absent));
  }

  #found(directory: string, facts: Stats | undefined): boolean {
    if (facts?.isSymbolicLink()) throw isLink(directory);
    if (facts === undefined) return false;
    if (!facts.isDirectory()) throw isFile(directory);
    this.#known.set(directory, true);
    return true;
  }

  /**
   * To be called when a path turned out not to lead to a directory: another program may have replaced one that is known.
   *
   * @throws OciError STORAGE_DAMAGED naming what is no directory, unless it is one again.
   */
  async lookAgain(path: string): Promise<void> {
    for (let at = path; at.length > this.#root.length; at = dirname(at)) this.#known.delete(at);
    await this.isThere(path);
  }

  /**
   * Runs an operation that creates a file in a directory. A missing directory is created, also if another process
   * removes it meanwhile because it is empty. Nothing survives a power cut before {@link sync}.
   *
   * @param opts.isNew Whether it is probably missing: then it is created without a check, which would cost as much.
   */
  async within<T>(directory: string, operation: () => Promise<T>, opts?: { readonly isNew?: boolean }): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      await this.#make(directory, opts?.isNew === true);
      try {
        return await operation();
      } catch (error) {
        if (!hasErrno(error, 'ENOENT') || attempt === maxAttempts) throw error;
        await this.#forget(directory);
      }
    }
  }

  /** Makes the entries of a directory survive a power cut, with the directories above that this process made. */
  async sync(directory: string): Promise<void> {
    const syncs = [syncDirectory(directory)];
    for (let at = directory; at.length > this.#root.length; at = dirname(at)) {
      if (this.#unsynced.has(at)) syncs.push(this.#syncName(at));
    }
    await Promise.all(syncs);
  }

  /** Must be called when a directory was removed. */
  removed(directory: string): void {
    this.#known.delete(directory);
    this.#unsynced.delete(directory);
  }

  async #syncName(directory: string): Promise<void> {
    const made = this.#unsynced.get(directory);
    await syncDirectory(dirname(directory));
    // Another process may have removed it meanwhile, and this one made it again.
    if (this.#unsynced.get(directory) === made) this.#unsynced.delete(directory);
  }

  async #make(directory: string, isNew = false): Promise<void> {
    for (let attempt = 0; !this.#isKnown(directory); attempt += 1) {
      const parent = dirname(directory);
      await this.#make(parent);
      if (!isNew && (await this.isThere(directory))) return;
      // Before it is made: whoever finds it made must wait for its name too.
      const mark = Symbol();
      this.#unsynced.set(directory, mark);
      try {
        await mkdir(directory, { mode: directoryMode });
        // Anew: a sync that took place while it was being made may have come too early, and has taken the mark away.
        this.#unsynced.set(directory, Symbol());
        this.#known.set(directory, true);
      } catch (error) {
        if (hasErrno(error, 'EEXIST') && (await this.isThere(directory))) return;
        if (this.#unsynced.get(directory) === mark) this.#unsynced.delete(directory);
        if (!hasErrno(error, 'ENOENT', 'EEXIST')) throw error;
        if (attempt === maxAttempts) throw error;
        await this.#forget(parent);
      }
    }
  }

  // Another process may have removed several levels.
  async #forget(directory: string): Promise<void> {
    if (directory.length <= this.#root.length) return await makeDirectory(this.#root);
    this.#known.delete(directory);
  }

  #isKnown(directory: string): boolean {
    return directory.length <= this.#root.length || this.#known.has(directory);
  }
}
