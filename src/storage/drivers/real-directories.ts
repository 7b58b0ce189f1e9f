import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { directoryMode, makeDirectory, syncDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { mkdir } from '../../files/system-calls.ts';
import { RecentMap } from '../../model/recent-map.ts';
import { isLink } from './file-errors.ts';

/** Each is looked at once; a store of many blobs has more, and is asked again. */
const maxKnown = 4_096;
/** How often a directory is made again that somebody removes for being empty. */
const maxAttempts = 20;

/**
 * The directories below a root that are no symbolic links. What lies behind a link is not the store's: a directory that
 * somebody else has filled could give out any file of whoever serves it. The root itself may be a link.
 *
 * A directory that was looked at is not asked again: who can put a link in its place while we run can change the store's files
 * as well.
 */
export class RealDirectories {
  readonly #root: string;
  readonly #known = new RecentMap<string, true>(maxKnown);

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Looks at a directory and all above it.
   *
   * @returns False when it is not there, or is none.
   * @throws OciError STORAGE_DAMAGED naming what is a link.
   */
  isThere(directory: string): boolean {
    if (this.#isKnown(directory)) return true;
    if (!this.isThere(dirname(directory))) return false;
    // Without a thread's turn: the file below is looked at next, which reads all of this from the same memory.
    const facts = lstatSync(directory, { throwIfNoEntry: false });
    if (facts?.isSymbolicLink()) throw isLink(directory);
    if (facts?.isDirectory() !== true) return false;
    this.#known.set(directory, true);
    return true;
  }

  /**
   * Runs an operation that puts a file into a directory, which is made when it is missing: first, or because somebody
   * removed it for being empty just then.
   *
   * @param opts.isNew Whether it is most likely missing: to look costs as much as to make it.
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

  /** Tells that a directory was removed. */
  removed(directory: string): void {
    this.#known.delete(directory);
  }

  async #make(directory: string, isNew = false): Promise<void> {
    for (let attempt = 0; !this.#isKnown(directory); attempt += 1) {
      const parent = dirname(directory);
      await this.#make(parent);
      if (!isNew && this.isThere(directory)) return;
      try {
        await mkdir(directory, { mode: directoryMode });
        this.#known.set(directory, true);
        await syncDirectory(parent);
      } catch (error) {
        if (hasErrno(error, 'EEXIST') && this.isThere(directory)) return;
        if (!hasErrno(error, 'ENOENT', 'EEXIST')) throw error;
        if (attempt === maxAttempts) throw hasErrno(error, 'EEXIST') ? notDirectory(directory) : error;
        await this.#forget(parent);
      }
    }
  }

  // Whoever prunes may have taken several.
  async #forget(directory: string): Promise<void> {
    if (directory.length <= this.#root.length) return await makeDirectory(this.#root);
    this.#known.delete(directory);
  }

  #isKnown(directory: string): boolean {
    return directory.length <= this.#root.length || this.#known.has(directory);
  }
}

function notDirectory(file: string): Error {
  return Object.assign(new Error(`${file} is no directory`), { code: 'ENOTDIR' });
}
