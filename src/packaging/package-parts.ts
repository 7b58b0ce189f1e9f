/**
 * Finds the parts of the program that run separately: its credential helper, its threads and its native packages. This
 * module is for the installed package and the library; the single file uses `single-file-parts.ts` instead.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** One of our programs, in the form that `spawn` takes. */
interface OwnProgram {
  readonly file: string;
  readonly words: readonly string[];
  /** The name that the program is called by. */
  readonly argv0?: string;
}

/**
 * Finds a program of this package, so that it need not be on PATH.
 *
 * @returns undefined if this code is part of another program's bundle.
 */
export function findOwnProgram(name: string): OwnProgram | undefined {
  const here = fileURLToPath(import.meta.url);
  let directory = dirname(here);
  for (let hops = 0; hops < 4; hops++) {
    const script = join(directory, 'bin', `${name}.js`);
    const found = statSync(script, { throwIfNoEntry: false });
    if (found) {
      // Others could have put the file there, if the bundle is below a directory that everyone may write to.
      return found.uid === statSync(here).uid ? { file: process.execPath, words: [script] } : undefined;
    }
    directory = dirname(directory);
  }
  return undefined;
}

/**
 * Starts a thread that runs one of our modules.
 *
 * @param moduleUrl The module's `import.meta.url`, wherever a bundler has put it.
 * @param task Passed to the thread as `workerData`.
 */
export function startThread(moduleUrl: string, task: string): Worker {
  return new Worker(new URL(moduleUrl), { workerData: task });
}

/** Whether a package that is not part of this one is installed where Node finds it. Loads nothing. */
export function hasOptionalPackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** @throws Node's error if the package is missing or cannot be loaded. */
export function loadOptionalPackage(name: string): unknown {
  return createRequire(import.meta.url)(name);
}
