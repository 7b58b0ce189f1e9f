/** Takes a layout away again that was made and into which nothing came. */
import { readdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExtensionKey } from '../../registry/extensions.ts';
import { blobsPath, indexPath, versionPath } from '../format/paths.ts';
import type { LayoutDirectory } from './layout-directory.ts';
import { removeFile } from './move.ts';

/** Of a layout that was opened with `create`. */
interface EmptyLayout {
  /** Removes what opening has made, where it holds nothing, and nobody is writing. */
  remove(): Promise<void>;
}
export const emptyLayout: ExtensionKey<EmptyLayout> = Object.freeze({ name: 'empty-layout' });

/** The directories that are to be made for a path, itself first. */
export async function absentDirectories(path: string): Promise<readonly string[]> {
  const absent: string[] = [];
  for (let at = path; dirname(at) !== at && !(await isThere(at)); at = dirname(at)) absent.push(at);
  return absent;
}

/** @param made The directories that were made for it, itself first. */
export function createEmptyLayout(layout: LayoutDirectory, made: readonly string[]): EmptyLayout {
  const { files, index, work, lock } = layout;
  return {
    async remove() {
      await lock.exclusively(async () => {
        if ((await index.read()).entries.length > 0 || (await isWorkedIn(work.path))) return;
        // Fails where a blob is: then the layout stays as it is.
        if (!(await removeDirectories(files.shown(blobsPath)))) return;
        await removeFile(files.shown(indexPath));
        await removeFile(files.shown(versionPath));
      });
      for (const directory of made) if (!(await removeDirectory(directory))) return;
    },
  };
}

/** Whether somebody writes, or left what a later run goes on with. */
async function isWorkedIn(workPath: string): Promise<boolean> {
  return (await readdir(workPath)).some((name) => name !== 'lock');
}

async function removeDirectories(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => []);
  for (const name of names) if (!(await removeDirectory(join(path, name)))) return false;
  return removeDirectory(path);
}

/** @returns False where something is in it, or it is none. */
async function removeDirectory(path: string): Promise<boolean> {
  return rmdir(path).then(
    () => true,
    () => false,
  );
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
