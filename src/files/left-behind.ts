import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { processState, tryParseProcessId } from './process-id.ts';

/**
 * Removes the files and directories that killed processes left in a directory: their names are a prefix and a process. What
 * goes wrong here is not reported, because it must not fail a write.
 */
export async function removeLeftBehind(directory: string, prefix: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const owner = name.startsWith(prefix) ? tryParseProcessId(name.slice(prefix.length)) : undefined;
    if (owner === undefined || processState(owner) !== 'dead') continue;
    await rm(join(directory, name), { recursive: true, force: true }).catch(() => {});
  }
}
