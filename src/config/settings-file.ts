import { readFile } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';

export interface ReadOptions {
  /** Told when a file that nobody named is there but may not be read; it is then skipped. Absent: that is an error. */
  readonly warn?: ((text: string) => void) | undefined;
}

/**
 * The text of a settings file, undefined where there is none.
 *
 * @throws OciError CONFIG_INVALID where it is there and cannot be read.
 */
export async function readSettingsFile(file: string, opts: ReadOptions = {}): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (opts.warn && (code === 'EACCES' || code === 'EPERM')) {
      opts.warn(`${file} was skipped: it may not be read by this user`);
      return undefined;
    }
    const reason = code === 'EISDIR' ? 'it is a directory' : (code ?? 'unknown reason');
    throw new OciError('CONFIG_INVALID', `${file} cannot be read: ${reason}`, { cause: error });
  }
}
