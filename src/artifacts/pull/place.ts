/** Puts what was pulled in its place. */
import { chmod, lstat, lutimes, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { visible } from '../../model/quote.ts';
import { onFiles } from './on-files.ts';
import { inTheWay, kindOf } from './output-directory.ts';
import type { PlannedFile } from './plan.ts';
import type { UnpackedDirectory } from './unpack.ts';

/** Renames a file to its place, durably. @throws OciError STORAGE_* */
export async function placeFile(from: string, target: string): Promise<void> {
  await onFiles('write', visible(target), async () => {
    await rename(from, target);
    await syncDirectory(join(target, '..'));
  });
}

/**
 * Moves an unpacked directory to its place. If there is a directory, it gets the files one after the other: those of the same
 * name are replaced, the others stay, as with oras.
 *
 * @throws OciError REFUSED if something of another kind is in the way: then nothing was moved; STORAGE_*.
 */
export async function placeDirectory(
  from: string,
  target: string,
  file: PlannedFile,
  directories: readonly UnpackedDirectory[],
): Promise<void> {
  const existed = new Set<string>();
  await checkMerge(from, target, file);
  await onFiles('write', visible(target), async () => {
    await merge(from, target, [], existed);
    await syncDirectory(join(target, '..'));
    for (const { path, without, modified } of directories) {
      const directory = join(target, ...path);
      await syncDirectory(directory);
      if (existed.has(path.join('/'))) continue;
      if (without !== 0) await chmod(directory, (await lstat(directory)).mode & 0o777 & ~without);
      if (modified !== undefined) await lutimes(directory, modified, modified);
    }
  });
}

async function checkMerge(from: string, target: string, file: PlannedFile): Promise<void> {
  const kind = await kindOf(target);
  if (kind === undefined) return;
  if (kind !== 'directory') throw inTheWay(target, kind, file);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [below, there] = [join(from, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) {
      await checkMerge(below, there, file);
      continue;
    }
    const other = await kindOf(there);
    if (other === 'directory' || other === 'device or pipe') throw inTheWay(there, other, file);
  }
}

async function merge(from: string, target: string, path: readonly string[], existed: Set<string>): Promise<void> {
  try {
    // Over a directory that has nothing in it, a rename would take its mode away too.
    if ((await kindOf(target)) === undefined) return await rename(from, target);
  } catch (error) {
    // Another process has made it meanwhile.
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
  existed.add(path.join('/'));
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [below, there] = [join(from, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) await merge(below, there, [...path, entry.name], existed);
    else await rename(below, there);
  }
  await rmdir(from);
}
