/**
 * What `package-parts.ts` is in the single file without Node: the build of it takes this module in its place. The parts
 * are assets of the executable.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAsset, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type * as packageParts from './package-parts.ts';

/** The file itself: it goes by the name that it was called. */
export const findOwnProgram: typeof packageParts.findOwnProgram = (name) => ({
  file: process.execPath,
  words: [],
  argv0: name,
});

/** The thread's module is an asset by the name of its task, since a thread cannot run a file that is not there. */
export const startThread: typeof packageParts.startThread = (_moduleUrl, task) =>
  new Worker(getAsset(task, 'latin1'), { eval: true, workerData: task });

export const hasNativePackage: typeof packageParts.hasNativePackage = (name) => findAsset(name) !== undefined;

/** The system loads libraries from files alone: this one is a file for that moment, which only this user can write to. */
export const loadNativePackage: typeof packageParts.loadNativePackage = (name) => {
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

export const isCompiled: typeof packageParts.isCompiled = true;

/**
 * Runs a script that is an asset, with its compiled code where there is some.
 *
 * @returns What it exports.
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
