import { lstat, mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryMode, writeNew } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { newProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import { confinedPath } from './confined-path.ts';
import { onFile } from './file-errors.ts';
import { moveIntoPlace, removeFile } from './move.ts';

/**
 * On the layout's file system, so that finished files can be renamed into place. It exists only while something is written.
 */
export const workName = '.ocictl';

/** Files of upload sessions: `upload.<id>` at rest, `upload.<id>.<owner>` while a process writes it. */
export const uploadPrefix = 'upload.';

/** After this time a file of another machine, or an upload that was not continued, counts as abandoned. */
const abandonedMs = 7 * 24 * 3_600_000;
const maxAttempts = 100;

/**
 * The directory for files that are being written, as `<name>.<owner>`. They are renamed into place when complete. The
 * directory is removed when it is empty, so that other tools find a plain layout.
 */
export class WorkDirectory {
  readonly path: string;
  readonly #root: string;
  #swept: Promise<void> | undefined;

  constructor(root: string) {
    this.#root = root;
    this.path = join(root, workName);
  }

  /** A path that only this writer uses. */
  newFile(name: string): string {
    return join(this.path, `${name}.${newProcessId()}`);
  }

  /**
   * Runs an operation that creates a file in the directory. Writers that finish remove the directory when it is empty,
   * so it may disappear at any moment until the file exists.
   */
  async within<T>(operation: () => Promise<T>): Promise<T> {
    this.#swept ??= this.#sweep();
    await this.#swept;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await confinedPath(this.#root, this.path);
        return await operation();
      } catch (error) {
        if (!hasErrno(error, 'ENOENT') || attempt === maxAttempts) throw error;
        await mkdir(this.path, { mode: directoryMode }).catch((failure: unknown) => {
          if (!hasErrno(failure, 'EEXIST')) throw failure;
        });
      }
    }
  }

  /** Writes a small file completely or not at all. */
  async writeSmall(target: string, bytes: Uint8Array, beforePlacing?: () => Promise<void>): Promise<void> {
    const file = this.newFile('small');
    try {
      await onFile('write', target, () => this.within(() => writeNew(file, bytes)));
      await beforePlacing?.();
      await moveIntoPlace(this.#root, file, target);
    } catch (error) {
      await removeFile(file).catch(() => {});
      throw error;
    }
  }

  /** Removes the directory, unless it contains something. */
  async leave(): Promise<void> {
    // Errors do not matter: the directory is in use, or is left empty.
    await rmdir(this.path).catch(() => {});
  }

  // Removes files of killed writers. Its errors do not fail a push.
  async #sweep(): Promise<void> {
    try {
      // If it were a link, files elsewhere would be removed.
      if (!(await lstat(this.path)).isDirectory()) return;
      for (const name of await readdir(this.path)) {
        const file = join(this.path, name);
        if (await isAbandoned(file, name)) await removeFile(file);
      }
    } catch {
      // Absent, not accessible, or removed meanwhile.
    }
  }
}

// An upload session outlives its writer: another may resume it.
async function isAbandoned(file: string, name: string): Promise<boolean> {
  const owner = tryParseProcessId(name.slice(name.lastIndexOf('.') + 1));
  const isUpload = name.startsWith(uploadPrefix);
  if (owner === undefined && !isUpload) return false;
  const state = owner === undefined || isUpload ? 'unknown' : processState(owner);
  if (state !== 'unknown') return state === 'dead';
  return Date.now() - (await lstat(file)).mtimeMs > abandonedMs;
}
