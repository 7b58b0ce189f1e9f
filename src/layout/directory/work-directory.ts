import { lstat, mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryMode, writeNew } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { newProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import { confinedPath } from './confined-path.ts';
import { onFile } from './file-errors.ts';
import { moveIntoPlace, removeFile } from './move.ts';

/** On the file system of the layout, so that what is finished can be renamed into place; gone when nothing is written. */
export const workName = '.ocictl';

/** Files of upload sessions: `upload.<id>` at rest, `upload.<id>.<owner>` while somebody writes. */
export const uploadPrefix = 'upload.';

/** A file of another machine's, or an upload nobody went on with, is taken for abandoned after this. */
const abandonedMs = 7 * 24 * 3_600_000;
const maxAttempts = 100;

/**
 * Where files lie while they are written: `<name>.<owner>`, renamed into place when they are whole. The directory goes
 * when it is empty, so that other tools find a plain layout.
 */
export class WorkDirectory {
  readonly path: string;
  readonly #root: string;
  #swept: Promise<void> | undefined;

  constructor(root: string) {
    this.#root = root;
    this.path = join(root, workName);
  }

  /** A path that is this writer's alone. */
  newFile(name: string): string {
    return join(this.path, `${name}.${newProcessId()}`);
  }

  /**
   * Runs an operation that puts a file into the directory. Whoever is done removes it when it is empty, so it may go
   * again at any moment until the file is there.
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

  /** Writes a small file whole or not at all. */
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

  /** Removes the directory, unless something is in it. */
  async leave(): Promise<void> {
    // Whatever keeps it from going does no harm: it is empty, or it is in use.
    await rmdir(this.path).catch(() => {});
  }

  // What writers left who were killed. Nothing here is worth failing a push for.
  async #sweep(): Promise<void> {
    try {
      // A link would have files removed wherever it points.
      if (!(await lstat(this.path)).isDirectory()) return;
      for (const name of await readdir(this.path)) {
        const file = join(this.path, name);
        if (await isAbandoned(file, name)) await removeFile(file);
      }
    } catch {
      // Absent, not ours, or gone meanwhile.
    }
  }
}

// An upload session is worth something without its writer: somebody may resume it.
async function isAbandoned(file: string, name: string): Promise<boolean> {
  const owner = tryParseProcessId(name.slice(name.lastIndexOf('.') + 1));
  const isUpload = name.startsWith(uploadPrefix);
  if (owner === undefined && !isUpload) return false;
  const state = owner === undefined || isUpload ? 'unknown' : processState(owner);
  if (state !== 'unknown') return state === 'dead';
  return Date.now() - (await lstat(file)).mtimeMs > abandonedMs;
}
