import { closeSync, constants, lstatSync } from 'node:fs';
import { copyFile, rm, stat as statByPool } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileMode, writeNew } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { learnFileSystem } from '../../files/file-systems.ts';
import { processState, tryParseProcessId } from '../../files/process-id.ts';
import { waitsForOthers } from '../../files/quick-calls.ts';
import { appendBytes, lstat, openFile, stat, unlink } from '../../files/system-calls.ts';
import { checkOptions, type Shape } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
import type { Driver, Journal } from '../driver.ts';
import { elsewhere, storageError } from './file-errors.ts';
import { deleteIf, mendAside } from './filesystem-aside.ts';
import { linkNew, openReader, readWhole, syncPath } from './filesystem-files.ts';
import { entriesOf, filesBelow, pruneEmpty } from './filesystem-listing.ts';
import { createFileLocks } from './filesystem-locks.ts';
import { attempt, openRoot, orAbsent, type Root } from './filesystem-root.ts';
import { createFileUploads } from './filesystem-uploads.ts';
import { pageOf } from './page.ts';

export interface FilesystemDriverOptions {
  /** The store's directory. A missing one reads as empty. */
  readonly root: string;
  /** Refuses every write. Default false. */
  readonly readOnly?: boolean;
  /** Whether the first write may create a missing root, accessible to this user only. Default true. */
  readonly create?: boolean;
  /** Whether another process may answer the next request of an upload. Default false. */
  readonly shared?: boolean;
}

/** Objects in one page of a deep list, whose names are kept in memory. */
const deepLimit = 10_000;
/** So many files are looked at before anything else is done. */
const existAtOnce = 200;
const dayMs = 24 * 60 * 60 * 1_000;

const openFilesystemDriverShape: Shape<FilesystemDriverOptions> = {
  root: 'string',
  readOnly: 'boolean',
  create: 'boolean',
  shared: 'boolean',
};

/**
 * Keeps a store in a directory that any number of processes may share. A directory is created with its first file and
 * removed with its last; an empty directory that another program left is listed as a prefix.
 *
 * @throws OciError STORAGE if the root is not a directory, STORAGE_DENIED if it cannot be accessed.
 */
export async function openFilesystemDriver(options: FilesystemDriverOptions): Promise<Driver> {
  checkOptions('openFilesystemDriver', options, openFilesystemDriverShape, ['root']);
  const directory = resolve(options.root);
  const readOnly = options.readOnly ?? false;
  const root = openRoot(directory, { readOnly, create: options.create ?? true });
  const { read, change, directories } = root;

  await learnFileSystem(directory);
  const found = await attempt('open', directory, () =>
    stat(directory).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOENT')) throw error;
      return undefined;
    }),
  );
  if (found !== undefined && !found.isDirectory())
    throw new OciError('STORAGE', `${directory} is not a directory`, { hint: elsewhere });

  return {
    name: directory,
    readOnly,
    isShared: options.shared ?? false,
    uploads: createFileUploads(root),
    locks: createFileLocks(root),

    get: (path, maxBytes) => read('read', path, (file) => readWhole(file, maxBytes)),
    open: (path, range) => read('open', path, (file) => openReader(file, range)),

    async put(path, bytes, { durable = true } = {}) {
      await change('write', path, (file) =>
        root.draft(file, { durable }, (draft) => writeNew(draft, bytes, { durable })),
      );
    },

    async putIfAbsent(path, bytes) {
      return await change('write', path, async (file) => {
        const made = await root.draft(
          file,
          { durable: true },
          (draft) => writeNew(draft, bytes),
          (draft) => linkNew(draft, file),
        );
        return made === true;
      });
    },

    async stat(path) {
      const facts = await read('look at', path, (file) => lstat(file));
      return facts?.isFile() ? { size: facts.size, storedAt: facts.mtime } : undefined;
    },

    async exist(paths) {
      const found: boolean[] = [];
      for (const path of paths) {
        const file = root.fileOf(path);
        // Synchronous as in RealDirectories: through the thread pool, each would take ten times as long. Others get their turn.
        if (found.length % existAtOnce === existAtOnce - 1) await setImmediate();
        try {
          const facts = waitsForOthers()
            ? (await directories.isThere(dirname(file))) && (await orAbsent(lstat(file)))
            : directories.isThere(dirname(file)) && lstatSync(file, { throwIfNoEntry: false });
          found.push(facts !== undefined && facts !== false && facts.isFile());
        } catch (error) {
          throw storageError(error, 'look at', file);
        }
      }
      return found;
    },

    async list(prefix, opts) {
      const page = await read('list', prefix, async (file) => {
        if (!(await directories.isThere(file))) return undefined;
        if (opts?.deep !== true) return await pageOf(await entriesOf(file), opts);
        return await pageOf(filesBelow(file, opts.after ?? ''), { limit: deepLimit, ...opts });
      });
      return page ?? { entries: [], next: undefined };
    },

    async copy(from, to) {
      const source = root.fileOf(from);
      return await change('write', to, async (file) => {
        if (!(await directories.isThere(dirname(source)))) return false;
        if ((await orAbsent(lstat(source)))?.isFile() !== true) return false;
        await root.draft(file, { durable: true }, async (draft) => {
          await copyFile(source, draft, constants.COPYFILE_FICLONE);
          await syncPath(draft);
        });
        return true;
      });
    },

    async delete(path) {
      return await change('remove', path, async (file) => {
        if (!(await directories.isThere(dirname(file)))) return false;
        if ((await orAbsent(unlink(file).then(() => true))) === undefined) return false;
        await root.prune(dirname(file));
        return true;
      });
    },

    async deleteIf(path, bytes) {
      return await change('remove', path, async (file) => {
        if (!(await directories.isThere(dirname(file))) || !(await deleteIf(file, bytes))) return false;
        await root.prune(dirname(file));
        return true;
      });
    },

    // Always in the thread pool: on a network file system that is gone it would hold up the main thread.
    async check() {
      if (found === undefined) return;
      const now = await attempt('look at', directory, () => statByPool(directory));
      if (!now.isDirectory()) throw new OciError('STORAGE', `${directory} is no longer a directory`);
    },

    openJournal: (path) => change('write', path, (file) => openJournal(root, file)),

    async tidy(prefix, { dryRun = false, idleMs = dayMs } = {}) {
      const drafts = await removeDrafts(root, { dryRun, idleMs });
      if (prefix === undefined || dryRun) return drafts;
      await change(
        'tidy',
        prefix,
        async (file) => void ((await directories.isThere(file)) && (await pruneEmpty(file, mendAside))),
      );
      return drafts;
    },
  };
}

async function openJournal({ directories }: Root, file: string): Promise<Journal> {
  const descriptor = await directories.within(dirname(file), () => openFile(file, 'ax', fileMode));
  let closed = false;
  return {
    async write(text) {
      const bytes = Buffer.from(text);
      await attempt('write', file, () => appendBytes(descriptor, bytes, 0, bytes.length));
    },
    async close({ keep = false } = {}) {
      if (closed) return;
      closed = true;
      closeSync(descriptor);
      if (!keep) await attempt('remove', file, () => orAbsent(unlink(file)));
    },
  };
}

// A temporary file of a living process is in use. If the state of the process is unknown, it is kept for a while.
async function removeDrafts(
  { temporary, directories }: Root,
  { dryRun, idleMs }: { readonly dryRun: boolean; readonly idleMs: number },
): Promise<{ count: number; bytes: number }> {
  const removed = { count: 0, bytes: 0 };
  if (!(await directories.isThere(temporary))) return removed;
  for (const { name } of (await attempt('list', temporary, () => orAbsent(entriesOf(temporary)))) ?? []) {
    const draft = join(temporary, name);
    const facts = await attempt('look at', draft, () => orAbsent(lstat(draft)));
    if (facts === undefined || !facts.isFile()) continue;
    const writer = tryParseProcessId(name.split('.', 1)[0] ?? '');
    // A name that no ocictl process gives belongs to another program.
    if (writer === undefined) continue;
    const state = processState(writer);
    const old = Date.now() - facts.mtimeMs > idleMs;
    if (state !== 'dead' && (!old || state === 'alive')) continue;
    if (!dryRun) await attempt('remove', draft, () => rm(draft, { force: true }));
    removed.count += 1;
    removed.bytes += facts.size;
  }
  return removed;
}
