import { randomBytes } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileMode } from '../../files/durable.ts';
import { OciError } from '../../model/errors.ts';

/**
 * Refuses a file system that takes `A` and `a` for the same name: tags that differ in case would overwrite each other.
 *
 * @throws OciError STORAGE
 */
export async function refuseFoldedCase(root: string): Promise<void> {
  const name = `.case-${randomBytes(8).toString('hex')}`;
  const probe = join(root, name);
  const handle = await open(probe, 'wx', fileMode);
  try {
    await handle.close();
    const folded = await stat(join(root, name.toUpperCase())).then(
      () => true,
      () => false,
    );
    if (!folded) return;
  } finally {
    await rm(probe, { force: true });
  }
  throw new OciError('STORAGE', `${root} is on a file system that does not tell upper from lower case`, {
    hint: 'tags and repositories need one that does; choose another directory, for instance on a case-sensitive volume',
  });
}
