import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The name of our own credential helper, which is the keychain. */
export const ownHelper = 'ocictl';

/**
 * How our helper is run: as the program of this package, so that it need not be on PATH.
 *
 * @returns undefined where this code lies in a bundle of somebody else's.
 */
export function ownHelperCommand(): readonly string[] | undefined {
  const here = fileURLToPath(import.meta.url);
  let directory = dirname(here);
  for (let hops = 0; hops < 4; hops++) {
    const script = join(directory, 'bin', `docker-credential-${ownHelper}.js`);
    const found = statSync(script, { throwIfNoEntry: false });
    // A bundle below a directory that everybody may write to would find what somebody else put there.
    if (found) return found.uid === statSync(here).uid ? [process.execPath, script] : undefined;
    directory = dirname(directory);
  }
  return undefined;
}
