/** Removes a layout that was created but never written to. */
import { readdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExtensionKey } from '../../registry/extensions.ts';
import { blobsPath, indexPath, versionPath } from '../format/paths.ts';
import type { LayoutDirectory } from './layout-directory.ts';
import { removeFile } from './move.ts';

/** A capability of layouts that were opened with `create` and are new. */
interface EmptyLayout {
  /** Removes what opening created, if nothing was written and nobody is writing. */
  remove(): Promise<void>;
}
export const emptyLayout: ExtensionKey<EmptyLayout> = Object.freeze({ name: 'empty-layout' });

/** The directories that have to be created for a path, itself first. */
export async function absentDirectories(path: string): Promise<readonly string[]> {
  const absent: string[] = [];
  for (let at = path; dirname(at) !== at && !(await isThere(at)); at = dirname(at)) absent.push(at);
  return absent;
}

/** @param made The directories that were created for it, itself first. */
export function createEmptyLayout(layout: LayoutDirectory, made: readonly string[]): EmptyLayout {
  const { files, index, work, lock } = layout;
  return {
    async remove() {
      await lock.exclusively(async () => {
        if ((await index.read()).entries.length > 0 || (await isWorkedIn(work.path))) return;
        // Fails if there is a blob: then the layout is kept.
        if (!(await removeDirectories(files.shown(blobsPath)))) return;
        await removeFile(files.shown(indexPath));
        await removeFile(files.shown(versionPath));
      });
      for (const directory of made) if (!(await removeDirectory(directory))) return;
    },
  };
}

/** Whether somebody is writing, or has left an upload that a later run may continue. */
async function isWorkedIn(workPath: string): Promise<boolean> {
  return (await readdir(workPath)).some((name) => name !== 'lock');
}

async function removeDirectories(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => []);
  for (const name of names) if (!(await removeDirectory(join(path, name)))) return false;
  return removeDirectory(path);
}

/** @returns False if it is not empty, or not a directory. */
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
