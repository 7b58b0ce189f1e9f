/** A directory as the store of a registry. Part of the composition root, loaded only by the commands that need it. */
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileError, hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import { openFilesystemDriver } from '../../storage/drivers/filesystem.ts';
import { refuseFoldedCase } from '../../storage/drivers/folded-case.ts';
import type { RootOptions, StoreRoot } from './store-root.ts';

const elsewhere = 'name another directory with --root';
const hints = { full: 'make room there', elsewhere };

/** @param name As the user wrote it. */
export async function openDirectory(name: string, path: string, options: RootOptions): Promise<StoreRoot> {
  const directory = resolve(path);
  const { readOnly = false, mayBeMissing = false, existing = false, shared = false } = options;
  if (existing) await recognise(directory);
  else await prepare(directory, { readOnly, mayBeMissing });
  const driver = await openFilesystemDriver({ root: directory, readOnly, create: !existing, shared });
  return { driver, name, directory };
}

// Check the directory now, not at the first push. A missing one is created if its parent exists.
async function prepare(
  directory: string,
  { readOnly, mayBeMissing }: { readonly readOnly: boolean; readonly mayBeMissing: boolean },
): Promise<void> {
  try {
    if ((await kindOf(directory)) === 'absent') {
      const needed = readOnly && !mayBeMissing ? directory : dirname(directory);
      if (needed === directory || (await kindOf(needed)) === 'absent') {
        throw new OciError('STORAGE', `there is no directory ${needed}`, { hint: `make it first, or ${elsewhere}` });
      }
      if (readOnly) return;
      await mkdir(directory, { mode: 0o700 });
    }
    if ((await kindOf(directory)) === 'other') {
      throw new OciError('STORAGE', `${directory} is not a directory`, { hint: elsewhere });
    }
    await access(directory, constants.R_OK | constants.X_OK);
    // On a network file system only an attempt shows this.
    if (!readOnly) await refuseFoldedCase(directory);
  } catch (error) {
    throw fileError(error, readOnly ? 'read' : 'write to', directory, hints);
  }
}

const inside = join('docker', 'registry', 'v2');

// In any other directory, unrelated files could look like a store's leftovers and would be deleted.
async function recognise(directory: string): Promise<void> {
  try {
    if ((await kindOf(join(directory, inside))) === 'directory') return;
    const hint = 'name the directory that serve has as --root, or distribution as rootdirectory';
    if ((await kindOf(directory)) !== 'directory') {
      throw new OciError('STORAGE', `there is no directory ${directory}`, { hint });
    }
    throw new OciError('STORAGE', `${directory} holds no registry: there is no ${inside} in it`, {
      hint: above(directory) ?? hint,
    });
  } catch (error) {
    throw fileError(error, 'read', directory, hints);
  }
}

function above(directory: string): string | undefined {
  const at = `${directory}${sep}`.lastIndexOf(`${sep}${inside.split(sep)[0]}${sep}`);
  const root = directory.slice(0, at);
  return at > 0 && basename(root) !== '' ? `did you mean --root ${root}?` : undefined;
}

async function kindOf(path: string): Promise<'directory' | 'absent' | 'other'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 'absent';
    if (hasErrno(error, 'ENOTDIR')) return 'other';
    throw error;
  }
}
