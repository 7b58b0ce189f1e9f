/**
 * Replaces `package-parts.ts` in the single file that needs no Node: its build uses this module instead. The parts are
 * assets of the executable.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAsset, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type * as packageParts from './package-parts.ts';

/** The file itself: it chooses the program by the name that it is called by. */
export const findOwnProgram: typeof packageParts.findOwnProgram = (name) => ({
  file: process.execPath,
  words: [],
  argv0: name,
});

/** The thread's module is an asset with the name of its task, since there is no file that a thread could run. */
export const startThread: typeof packageParts.startThread = (_moduleUrl, task) =>
  new Worker(getAsset(task, 'latin1'), { eval: true, workerData: task });

export const hasOptionalPackage: typeof packageParts.hasOptionalPackage = (name) => findAsset(name) !== undefined;

/** The system can load libraries only from files, so the library is written to a temporary file of this user's. */
export const loadOptionalPackage: typeof packageParts.loadOptionalPackage = (name) => {
  const library = findAsset(name);
  if (library === undefined) throw new Error(`${name} is not part of this file`);
  const directory = mkdtempSync(join(tmpdir(), 'ocictl-'));
  try {
    const file = join(directory, 'library.node');
    writeFileSync(file, library, { mode: 0o600 });
    const loaded: { readonly exports: unknown } = { exports: {} };
    process.dlopen(loaded, file);
    return loaded.exports;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/**
 * Runs a script that is an asset, with its compiled code if there is any.
 *
 * @returns Its exports.
 */
export function loadScript(name: string): unknown {
  const code = findAsset(`${name}.code`);
  const script = new Script(getAsset(name, 'latin1'), {
    filename: `ocictl/${name}.js`,
    ...(code && { cachedData: code }),
  });
  const module = { exports: {} };
  const run = script.runInThisContext() as (...scope: readonly unknown[]) => void;
  run(process.getBuiltinModule, module, module.exports);
  return module.exports;
}

function findAsset(name: string): Buffer | undefined {
  try {
    return Buffer.from(getRawAsset(name) as ArrayBuffer);
  } catch {
    return undefined;
  }
}
