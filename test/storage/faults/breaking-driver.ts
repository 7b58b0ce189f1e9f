/** A driver that breaks at one of its calls, and the state that a process that ended there leaves behind. */
import { spawnSync } from 'node:child_process';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { newProcessId, tryParseProcessId } from '../../../src/files/process-id.ts';
import { OciError } from '../../../src/model/errors.ts';
import type { Driver, Lock, StorePath, Upload } from '../../../src/storage/driver.ts';
import { deleteBelow } from '../../../src/storage/listing.ts';

/**
 * `fails`: without effect. `fails after`: has its effect, but reports failure. `stops`: neither this call nor any later
 * one ends.
 */
export type Break = 'fails' | 'fails after' | 'stops';

export interface BreakingDriver {
  readonly driver: Driver;
  /** Calls so far, as `put docker/…`. */
  readonly calls: readonly string[];
  /** Resolves when the process has stopped. */
  readonly stopped: Promise<'stopped'>;
  /** Changes the files that the stopped process held as if it were dead. */
  bury(): Promise<void>;
}

export function breakingDriver(inner: Driver, breaking: { readonly how: Break; readonly at: number }): BreakingDriver {
  const calls: string[] = [];
  const locks: Lock[] = [];
  const uploads: Upload[] = [];
  let isStopped = false;
  let stop = (): void => {};
  const stopped = new Promise<'stopped'>((resolve) => {
    stop = () => resolve('stopped');
  });

  async function call<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const isHere = calls.push(name) - 1 === breaking.at;
    if (isHere && breaking.how === 'stops') {
      isStopped = true;
      stop();
    }
    if (isStopped) return await new Promise<never>(() => {});
    if (isHere && breaking.how === 'fails') throw injected(name);
    const result = await operation();
    if (isHere && breaking.how === 'fails after') throw injected(name);
    if (isStopped) return await new Promise<never>(() => {});
    return result;
  }

  /** The same object, with every call counted. */
  function wrap<T extends object>(object: T, name: string, results: (result: unknown) => unknown = (r) => r): T {
    return new Proxy(object, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const what = [name + String(key), args[0]].filter((part) => typeof part === 'string').join(' ');
          return call(what, async () => results(await value.apply(target, args)));
        };
      },
    });
  }

  const wrapUpload = (result: unknown): unknown => {
    if (typeof result !== 'object' || result === null) return result;
    if ('open' in result) return wrap(result, 'session.', wrapUpload);
    if (!('commit' in result)) return result;
    uploads.push(result as Upload);
    return wrap(result, 'upload.');
  };
  const wrapLock = (result: unknown): unknown => {
    if (typeof result !== 'object' || result === null) return result;
    locks.push(result as Lock);
    return wrap(result, 'lock.');
  };
  const parts = {
    name: inner.name,
    readOnly: inner.readOnly,
    uploads: {
      ...wrap(inner.uploads, 'uploads.', wrapUpload),
      list: (prefix: StorePath) => listed(prefix),
      ...(inner.uploads.left !== undefined && { left }),
    },
    locks: inner.locks && wrap(inner.locks, 'locks.', wrapLock),
  };
  async function* listed(prefix: StorePath) {
    await call(`uploads.list ${prefix}`, async () => {});
    yield* inner.uploads.list(prefix);
  }
  async function* left(prefix: StorePath, before: Date) {
    await call(`uploads.left ${prefix}`, async () => {});
    for await (const upload of inner.uploads.left?.(prefix, before) ?? []) yield wrap(upload, 'left.');
  }
  const objects = wrap(inner, '', (result) =>
    typeof result === 'object' && result !== null && 'write' in result ? wrap(result, 'journal.') : result,
  );
  const driver = new Proxy(objects, {
    get: (target, key) => (key in parts ? Reflect.get(parts, key) : Reflect.get(target, key)),
  });

  return {
    driver,
    calls,
    stopped,
    async bury() {
      for (const lock of locks) await lock.release();
      if (inner.name === 'memory') for (const upload of uploads) await upload.rest();
      // What a process has not let rest is in its memory alone, or in parts that no object tells of.
      else if (!inner.name.startsWith('s3:')) await renameHeld(inner.name);
      for (const prefix of ['leases', 'collectors']) await renameBelow(inner, prefix as StorePath);
    },
  };
}

function injected(name: string): OciError {
  return new OciError('STORAGE', `injected: ${name}`);
}

const deadPid = String(spawnSync(process.execPath, ['--version']).pid);
const ours = newProcessId().replace(/[^-]*$/, '');
const theirs = ours.replace(/^\d+/, deadPid);

async function renameBelow(driver: Driver, prefix: StorePath): Promise<void> {
  for (const { name } of (await driver.list(prefix, { deep: true })).entries) {
    if (!name.startsWith(ours)) continue;
    await driver.copy(`${prefix}/${name}` as StorePath, `${prefix}/${name.replace(ours, theirs)}` as StorePath);
  }
  for (const { name } of (await driver.list(prefix)).entries) {
    if (!name.startsWith(ours)) continue;
    await driver.delete(`${prefix}/${name}` as StorePath);
    await deleteBelow(driver, `${prefix}/${name}` as StorePath);
  }
}

async function renameHeld(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const [, start = '', holder = ''] = /^(.*\.|)([^.]*)$/.exec(entry.name) ?? [];
    if (!entry.isFile() || start === '' || tryParseProcessId(holder) === undefined || !holder.startsWith(ours))
      continue;
    const file = join(entry.parentPath, start);
    await rename(`${file}${holder}`, `${file}${holder.replace(ours, theirs)}`);
  }
}
