import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether a program is on PATH. */
export function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, process.platform === 'win32' ? `${program}.cmd` : program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
