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

/** The directory that a store is in, as every part of the driver works with it. */
export interface Root {
  readonly directory: string;
  /** Where files are before they have a place, each named by the process that writes it. */
  readonly temporary: string;
  readonly directories: RealDirectories;
  fileOf(path: StorePath): string;
  /** Runs what only reads. Absent files are undefined. @throws OciError, STORAGE_DAMAGED behind a link */
  read<T>(action: string, path: StorePath, operation: (file: string) => Promise<T>): Promise<T | undefined>;
  /** Runs what writes, within `directories`. @throws OciError */
  change<T>(action: string, path: StorePath, operation: (file: string) => Promise<T>): Promise<T>;
  /** Makes a file elsewhere and moves it into its place, or has `place` do that, which leaves the draft. */
  draft<T>(
    file: string,
    opts: { readonly durable: boolean },
    make: (draft: string) => Promise<void>,
    place?: (draft: string) => Promise<T>,
  ): Promise<T | undefined>;
  /** Removes a directory and those above it as long as they are empty. */
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

  return {
    directory,
    temporary,
    directories,
    fileOf: (path) => join(directory, path),
    async read(action, path, operation) {
      const file = join(directory, path);
      return await attempt(action, file, async () => {
        return directories.isThere(dirname(file)) ? await orAbsent(operation(file)) : undefined;
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
        return await operation(file);
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
        if (durable) await syncDirectory(dirname(file));
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
          // Another has filled it or removed it; what else may be wrong with it is no matter of whoever deletes.
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

/** Nothing is below a file, and no directory is an object. */
export async function orAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

// Images may hold secrets: on a machine of several users nobody else gets below a root that is made here.
async function makeRoot(root: string): Promise<void> {
  await makeDirectory(dirname(root));
  await mkdir(root, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasErrno(error, 'EEXIST')) throw error;
  });
  await syncDirectory(dirname(root));
}
