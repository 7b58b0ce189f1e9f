import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileMode } from '../../files/durable.ts';
import { newProcessId } from '../../files/process-id.ts';
import { OciError } from '../../model/errors.ts';
import { RealDirectories } from './real-directories.ts';

/**
 * Refuses a file system that takes `A` and `a` for the same name: tags that differ in case only would overwrite each
 * other. It finds out by writing a file, so it also shows whether the store can be written to. The file is a temporary one
 * in `tmp`: `tidy` removes it after a killed process.
 *
 * @throws OciError STORAGE; STORAGE_DAMAGED if `tmp` is a link; Node's error for a directory that cannot be written to.
 */
export async function refuseFoldedCase(root: string, directories = new RealDirectories(root)): Promise<void> {
  const temporary = join(root, 'tmp');
  const name = `${newProcessId()}.case`;
  const probe = join(temporary, name);
  const handle = await directories.within(temporary, () => open(probe, 'wx', fileMode));
  try {
    await handle.close();
    const folded = await stat(join(temporary, name.toUpperCase())).then(
      () => true,
      () => false,
    );
    if (!folded) return;
  } finally {
    await rm(probe, { force: true });
  }
  throw new OciError('STORAGE', `${root} is on a file system that is not case-sensitive`, {
    hint: 'tags differ in case; choose another directory, for instance on a case-sensitive volume',
  });
}
