import { randomBytes } from 'node:crypto';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { mkdir, rename, stat, unlink, utimes } from '../../files/calls.ts';
import { inDirectory, inNewDirectory, makeDirectory, syncDirectory, writeNew } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import type { Driver, Entry, StorePath } from '../driver.ts';
import { elsewhere, storageError } from './file-errors.ts';
import { openAppender, openReader, readWhole } from './filesystem-files.ts';
import { createFileLocks } from './filesystem-locks.ts';
import { refuseFoldedCase } from './folded-case.ts';

export interface FilesystemDriverOptions {
  /** The store's directory. A missing one reads as empty. */
  readonly root: string;
  /** Every write is refused. Default false. */
  readonly readOnly?: boolean;
  /** Whether the first write may make a missing root, for this user alone. Default true. */
  readonly create?: boolean;
}

/**
 * Keeps a store in a directory that any number of processes may share.
 *
 * @throws OciError STORAGE when the root is something else than a directory, STORAGE_DENIED when it cannot be reached.
 */
export async function openFilesystemDriver(options: FilesystemDriverOptions): Promise<Driver> {
  const root = resolve(options.root);
  const readOnly = options.readOnly ?? false;
  const temporary = join(root, 'tmp');
  let draftPrefix: string | undefined;
  let drafts = 0;
  let prepared: Promise<void> | undefined;

  const found = await attempt('open', root, () => orAbsent(stat(root)));
  if (found !== undefined && !found.isDirectory())
    throw new OciError('STORAGE', `${root} is not a directory`, { hint: elsewhere });

  const fileOf = (path: StorePath): string => join(root, path);

  async function prepare(): Promise<void> {
    if ((await orAbsent(stat(root))) === undefined) {
      if (options.create === false) throw new OciError('STORAGE', `there is no store at ${root}`);
      await makeRoot(root);
    }
    await refuseFoldedCase(root);
  }

  async function change<T>(action: string, path: StorePath, operation: (file: string) => Promise<T>): Promise<T> {
    if (readOnly) {
      throw new OciError('STORAGE_DENIED', `the store ${root} was opened for reading only`);
    }
    const file = fileOf(path);
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
  }

  return {
    name: root,
    readOnly,
    locks: createFileLocks(fileOf, change),

    async readSmall(path, maxBytes) {
      return await attempt('read', fileOf(path), () => orAbsent(readWhole(fileOf(path), maxBytes)));
    },

    async openRead(path, range) {
      const file = fileOf(path);
      return await attempt('open', file, () => orAbsent(openReader(file, range)));
    },

    async writeSmall(path, bytes) {
      await change('write', path, async (file) => {
        drafts += 1;
        draftPrefix ??= `${randomBytes(12).toString('hex')}-`;
        const draft = join(temporary, `${draftPrefix}${drafts}`);
        try {
          await inDirectory(temporary, () => writeNew(draft, bytes));
          await inNewDirectory(dirname(file), () => rename(draft, file));
        } catch (error) {
          await rm(draft, { force: true });
          throw error;
        }
        await syncDirectory(dirname(file));
      });
    },

    async openAppend(path) {
      return await change('write', path, (file) => inDirectory(dirname(file), () => openAppender(file)));
    },

    async stat(path) {
      const facts = await attempt('look at', fileOf(path), () => orAbsent(stat(fileOf(path))));
      return facts?.isFile() ? { size: facts.size, modifiedAt: facts.mtime } : undefined;
    },

    async list(path) {
      const entries = await attempt('list', fileOf(path), () =>
        orAbsent(readdir(fileOf(path), { withFileTypes: true })),
      );
      return (entries ?? [])
        .map((entry): Entry => ({ name: entry.name, kind: entry.isDirectory() ? 'directory' : 'file' }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },

    async move(from, to, opts) {
      return await change('write', to, async (target) => {
        const source = fileOf(from);
        const into = opts?.durable === true ? inNewDirectory : inDirectory;
        const moved = await into(dirname(target), async () => {
          try {
            await rename(source, target);
            return true;
          } catch (error) {
            if (hasErrno(error, 'ENOENT') && (await orAbsent(stat(source))) === undefined) return false;
            throw error;
          }
        });
        if (moved && opts?.durable === true) await syncDirectory(dirname(target));
        return moved;
      });
    },

    async remove(path) {
      return await change('remove', path, async (file) => (await orAbsent(unlink(file).then(() => true))) ?? false);
    },

    async removeTree(path) {
      await change('remove', path, (file) => rm(file, { recursive: true, force: true, maxRetries: 5 }));
    },

    async removeEmptyDirectory(path) {
      return await change('remove', path, async (file) => {
        try {
          await rmdir(file);
          return true;
        } catch (error) {
          if (hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return false;
          if (hasErrno(error, 'ENOENT')) return true;
          throw error;
        }
      });
    },

    async touch(path, at) {
      return await change(
        'touch',
        path,
        async (file) => (await orAbsent(utimes(file, at, at).then(() => true))) ?? false,
      );
    },

    async removeTemporary(before) {
      if ((await attempt('list', temporary, () => orAbsent(stat(temporary)))) === undefined) return;
      for (const name of await attempt('list', temporary, () => readdir(temporary))) {
        const draft = join(temporary, name);
        const facts = await attempt('look at', draft, () => orAbsent(stat(draft)));
        if (facts?.isFile() && facts.mtime < before) await attempt('remove', draft, () => rm(draft, { force: true }));
      }
    },
  };
}

// Images may hold secrets: on a machine of several users nobody else gets below a root that is made here.
async function makeRoot(root: string): Promise<void> {
  await makeDirectory(dirname(root));
  await mkdir(root, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasErrno(error, 'EEXIST')) throw error;
  });
  await syncDirectory(dirname(root));
}

async function attempt<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storageError(error, action, file);
  }
}

async function orAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
