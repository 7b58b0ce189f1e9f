import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, syncDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { newProcessId } from '../../files/process-id.ts';
import { mkdir, rename, stat } from '../../files/system-calls.ts';
import { OciError } from '../../model/errors.ts';
import type { StorePath } from '../driver.ts';
import { storageError } from './file-errors.ts';
import { refuseFoldedCase } from './folded-case.ts';
import { RealDirectories } from './real-directories.ts';

/** The root directory of a store, for all parts of the driver. */
export interface Root {
  readonly directory: string;
  /** Directory for temporary files; their names begin with the process that writes them. */
  readonly temporary: string;
  readonly directories: RealDirectories;
  fileOf(path: StorePath): string;
  /** Runs a reading operation; undefined if the file is absent. @throws OciError, STORAGE_DAMAGED if something else hides it */
  read<T>(action: string, path: StorePath, operation: (file: string) => Promise<T>): Promise<T | undefined>;
  /** Runs a writing operation. @throws OciError */
  change<T>(action: string, path: StorePath, operation: (file: string) => Promise<T>): Promise<T>;
  /**
   * Creates a temporary file and renames it to its path. `place` can do that instead of a rename; the draft is removed then.
   */
  draft<T>(
    file: string,
    opts: { readonly durable: boolean },
    make: (draft: string) => Promise<void>,
    place?: (draft: string) => Promise<T>,
  ): Promise<T | undefined>;
  /** Removes a directory, and its parents as long as they are empty. */
  prune(directory: string): Promise<void>;
}

export function openRoot(
  directory: string,
  { readOnly, create }: { readonly readOnly: boolean; readonly create: boolean },
): Root {
  const temporary = join(directory, 'tmp');
  const directories = new RealDirectories(directory);
  let prepared: Promise<void> | undefined;
  let ours: string | undefined;
  let drafts = 0;

  async function prepare(): Promise<void> {
    if ((await orAbsent(stat(directory))) === undefined) {
      if (!create) throw new OciError('STORAGE', `there is no store at ${directory}`);
      await makeRoot(directory);
    }
    await refuseFoldedCase(directory, directories);
  }

  async function lookAgain(file: string, error: unknown): Promise<never> {
    if (hasErrno(error, 'ENOTDIR')) await directories.lookAgain(file);
    throw error;
  }

  return {
    directory,
    temporary,
    directories,
    fileOf: (path) => join(directory, path),
    async read(action, path, operation) {
      const file = join(directory, path);
      return await attempt(action, file, async () => {
        if (!(await directories.isThere(dirname(file)))) return undefined;
        return await operation(file).catch((error: unknown) => {
          if (hasErrno(error, 'ENOENT')) return undefined;
          return lookAgain(file, error);
        });
      });
    },
    async change(action, path, operation) {
      if (readOnly) throw new OciError('STORAGE_DENIED', `the store ${directory} was opened for reading only`);
      const file = join(directory, path);
      return await attempt(action, file, async () => {
        prepared ??= prepare();
        try {
          await prepared;
        } catch (error) {
          prepared = undefined;
          throw error;
        }
        return await operation(file).catch((error: unknown) => lookAgain(file, error));
      });
    },
    async draft(file, { durable }, make, place) {
      drafts += 1;
      ours ??= newProcessId();
      const draft = join(temporary, `${ours}.${drafts}`);
      try {
        await directories.within(temporary, () => make(draft));
        const move = async () => {
          if (place !== undefined) return await place(draft);
          await rename(draft, file);
          return undefined;
        };
        const result = await directories.within(dirname(file), move, { isNew: durable });
        if (place !== undefined) await rm(draft, { force: true });
        if (durable) await directories.sync(dirname(file));
        return result;
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    async prune(from) {
      for (let at = from; at.length > directory.length; at = dirname(at)) {
        try {
          await rmdir(at);
          directories.removed(at);
        } catch (error) {
          // Another process has filled or removed it. Other errors do not concern the deletion.
          if (!hasErrno(error, 'ENOENT')) return;
        }
      }
    },
  };
}

export async function attempt<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storageError(error, action, file);
  }
}

/** Undefined if the file is absent, and for a directory, which cannot be changed as an object. */
export async function orAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EISDIR')) return undefined;
    throw error;
  }
}

// Images may contain secrets: on a machine with several users, a root created here is private.
async function makeRoot(root: string): Promise<void> {
  await makeDirectory(dirname(root));
  await mkdir(root, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasErrno(error, 'EEXIST')) throw error;
  });
  await syncDirectory(dirname(root));
}
