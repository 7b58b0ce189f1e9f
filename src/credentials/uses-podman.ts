import { existsSync } from 'node:fs';
import type { Environment } from '../config/environment.ts';
import { containersAuthFiles, containersStorage } from '../config/paths.ts';
import { isOnPath } from './on-path.ts';

/**
 * Whether this user has podman and has used it, or logs in with it. Distributions install it for everybody, so that it is on PATH
 * says little.
 */
export function usesPodman(where: Environment): boolean {
  const traces = [containersStorage(where), ...containersAuthFiles(where)];
  return isOnPath('podman', where.env) && traces.some((path) => path !== undefined && existsSync(path));
}
