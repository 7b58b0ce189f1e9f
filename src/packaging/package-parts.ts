/**
 * How the program finds its parts that run by themselves: its credential helper, its threads and its native packages.
 * This is how the installed package and the library do it; the single file has `single-file-parts.ts` in its place.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** A program of ours, as `spawn` takes it. */
interface OwnProgram {
  readonly file: string;
  readonly words: readonly string[];
  /** What the program is told that it was called. */
  readonly argv0?: string;
}

/**
 * The program of this package, so that it need not be on PATH.
 *
 * @returns undefined where this code lies in a bundle of somebody else's.
 */
export function findOwnProgram(name: string): OwnProgram | undefined {
  const here = fileURLToPath(import.meta.url);
  let directory = dirname(here);
  for (let hops = 0; hops < 4; hops++) {
    const script = join(directory, 'bin', `${name}.js`);
    const found = statSync(script, { throwIfNoEntry: false });
    if (found) {
      // A bundle below a directory that everybody may write to would find what somebody else put there.
      return found.uid === statSync(here).uid ? { file: process.execPath, words: [script] } : undefined;
    }
    directory = dirname(directory);
  }
  return undefined;
}

/**
 * Starts a thread that runs a module of ours.
 *
 * @param moduleUrl The module's `import.meta.url`, wherever a bundler has put it.
 * @param task Handed to the thread as `workerData`.
 */
export function startThread(moduleUrl: string, task: string): Worker {
  return new Worker(new URL(moduleUrl), { workerData: task });
}

/** Whether a native package is there. Loads nothing. */
export function hasNativePackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** @throws what Node says where the package is absent or cannot be loaded. */
export function loadNativePackage(name: string): unknown {
  return createRequire(import.meta.url)(name);
}

/** Whether the code comes compiled, so that there is no use in keeping what was compiled. */
export const isCompiled: boolean = false;
