/** What `ocictl serve --config` may be. A part of the composition root, loaded by that command alone. */
import { stat } from 'node:fs/promises';
import { OciError } from '../../model/errors.ts';

/**
 * Refuses what is no directory: whoever names a file means one with the settings of the server, as docker-registry has it.
 *
 * @throws OciError CONFIG_INVALID
 */
export async function requireDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const problem = found === undefined ? `there is no directory ${path}` : `${path} is a file, not a directory`;
  throw new OciError('CONFIG_INVALID', `--config: ${problem}`, {
    hint: "serve takes its settings as options; --config is the directory of Docker's config.json",
  });
}
