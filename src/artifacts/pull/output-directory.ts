import { lstat, mkdir, readdir, realpath, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { removeLeftBehind } from '../../files/left-behind.ts';
import { newProcessId } from '../../files/process-id.ts';
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';
import { onFiles } from './on-files.ts';
import type { PlannedFile } from './plan.ts';
import { workPrefix } from './titles.ts';

/** The directory that files are pulled into, with one in it for what is not complete. */
export interface OutputDirectory {
  /** In full, without links. */
  readonly path: string;
  readonly work: string;
  /** Maps names that are one here to one text: of a file system that knows no case, or one way to write an accent. */
  readonly fold: (name: string) => string;
  /** Removes this directory and those above it that were made for it, if they are empty. */
  removeEmpty(): Promise<void>;
}

/** @param shown As the user wrote it. @throws OciError STORAGE_* */
export async function openOutputDirectory(shown: string): Promise<OutputDirectory> {
  return await onFiles('write to', visible(shown), async () => {
    const given = resolve(shown);
    if ((await stat(given).catch(() => undefined))?.isDirectory() === false) throw notDirectory(shown);
    const made = await missingAbove(given);
    await makeDirectory(given);
    const path = await realpath(given);
    const removeEmpty = async (): Promise<void> => {
      for (const directory of made)
        if (
          !(await rmdir(directory).then(
            () => true,
            () => false,
          ))
        )
          return;
    };
    try {
      await removeLeftBehind(path, workPrefix);
      const work = join(path, workPrefix + newProcessId());
      await mkdir(work, { mode: 0o700 });
      return { path, work, fold: await findFold(work), removeEmpty };
    } catch (error) {
      await removeEmpty();
      throw error;
    }
  });
}

function notDirectory(shown: string): OciError {
  return new OciError('REFUSED', `${visible(shown)} is not a directory: nothing was written`, {
    hint: 'name another directory with -o',
  });
}

/** The directories on a path that do not exist, the deepest first. */
async function missingAbove(path: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const exists = await lstat(at).then(
      () => true,
      (error: unknown) => !hasErrno(error, 'ENOENT'),
    );
    if (exists) return missing;
    missing.push(at);
  }
}

/** Tries which names the file system takes for one. */
async function findFold(work: string): Promise<(name: string) => string> {
  const composed = 'probe-\u00e9';
  await writeFile(join(work, composed), '');
  const has = (name: string): Promise<boolean> =>
    lstat(join(work, name)).then(
      () => true,
      () => false,
    );
  const noCase = await has(composed.toUpperCase());
  const noForm = await has(composed.normalize('NFD'));
  return (name) => {
    const formed = noForm ? name.normalize('NFC') : name;
    return noCase ? formed.toUpperCase().toLowerCase() : formed;
  };
}

/**
 * Checks that a file may be put where its title says: each directory on the way is one, and not a link to one, and what is there
 * can be replaced.
 *
 * @param root The output directory.
 * @throws OciError REFUSED naming what is in the way; STORAGE_*.
 */
export async function checkPlace(root: string, file: PlannedFile, keepOld: boolean): Promise<void> {
  const { path, isDirectory } = file;
  for (let length = 1; length < path.length; length += 1) {
    const kind = await kindOf(join(root, ...path.slice(0, length)));
    if (kind === undefined) return;
    if (kind !== 'directory') throw inTheWay(join(root, ...path.slice(0, length)), kind, file);
  }
  const target = join(root, ...path);
  const kind = await kindOf(target);
  if (kind === undefined || (path.length === 0 && !keepOld)) return;
  if (keepOld && !(path.length === 0 && (await isUnused(root)))) {
    throw new OciError('REFUSED', `${visible(target)} exists, and --keep-old keeps it: nothing was written`, {
      hint: 'name another directory with -o, or leave --keep-old out',
    });
  }
  if (path.length === 0) return;
  if (isDirectory ? kind !== 'directory' : kind !== 'file' && kind !== 'link') throw inTheWay(target, kind, file);
}

type Kind = 'file' | 'directory' | 'link' | 'device or pipe';

/** What is at a path, without following a link; undefined if nothing is. @throws OciError STORAGE_* */
export async function kindOf(path: string): Promise<Kind | undefined> {
  return await onFiles('look at', visible(path), async () => {
    try {
      const facts = await lstat(path);
      if (facts.isSymbolicLink()) return 'link';
      if (facts.isDirectory()) return 'directory';
      return facts.isFile() ? 'file' : 'device or pipe';
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  });
}

export function inTheWay(path: string, kind: Kind, { title }: Pick<PlannedFile, 'title'>): OciError {
  return new OciError('REFUSED', `${visible(path)} is a ${kind}: ${visible(title)} cannot be put there`, {
    hint: 'move it away, or name another directory with -o',
  });
}

async function isUnused(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch(() => []);
  return names.every((name) => name.startsWith(workPrefix));
}

/** Makes the directories that a file lies in. @throws OciError REFUSED, STORAGE_* */
export async function makeParents(root: string, path: readonly string[]): Promise<string> {
  const parent = join(root, ...path.slice(0, -1));
  await onFiles('write to', visible(parent), () => makeDirectory(parent));
  return parent;
}
