/** Compiled code of scripts, kept in a directory that belongs to the user of this process alone. */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Script } from 'node:vm';
import { readWhole } from './read-whole.ts';

const magic = 0x4f434a31;
/** V8 copies code that does not begin at a multiple of eight bytes. */
const headerBytes = 16;
/** Directories of other versions that nobody has written to for this long are removed. */
const unusedMs = 30 * 24 * 60 * 60 * 1000;
const writableByOthers = 0o022;
const maxParents = 10;

/**
 * Code is as good as the program itself: it is taken from files of this user only, which nobody else may write. V8 checks
 * that it fits to the source, its version and its flags, but not that it is whole. So it is there twice: to compare costs next to
 * nothing, where a checksum costs the 2 ms in which node:zlib or node:crypto loads.
 */
export class KeptCode {
  readonly #directory: string;

  /** @param directory Of this version of the program and of Node. It need not exist. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * @param stage Of the program's run: code of one is of no use in another.
   * @returns undefined if there is none that can be used. It is valid until the next file is read.
   */
  read(script: string, stage: string): Buffer | undefined {
    try {
      const bytes = readWhole(this.#pathOf(script, stage), {
        accept: (stats) => isOwn(stats) && stats.size > headerBytes,
      });
      if (!bytes || bytes.readUInt32LE(0) !== magic) return undefined;
      const length = bytes.readUInt32LE(4);
      const [code, copy] = [bytes.subarray(headerBytes, headerBytes + length), bytes.subarray(headerBytes + length)];
      return code.equals(copy) ? code : undefined;
    } catch {
      return undefined;
    }
  }

  /** Replaces what is kept. If that is impossible, the next run has to compile again, and nothing else. */
  write(scripts: ReadonlyMap<string, Script>, stage: string): void {
    try {
      if (!isOwn(statSync(nearest(this.#directory)))) return;
      if (makeDirectory(this.#directory)) removeUnused(dirname(this.#directory), basename(this.#directory));
      for (const [file, script] of scripts) this.#replace(this.#pathOf(file, stage), script.createCachedData());
    } catch {
      // A directory that is read-only or full.
    }
  }

  #replace(path: string, code: Buffer): void {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(magic, 0);
    header.writeUInt32LE(code.length, 4);
    const aside = `${path}.${process.pid}`;
    try {
      writeFileSync(aside, Buffer.concat([header, code, code]), { mode: 0o600, flag: 'wx' });
      renameSync(aside, path);
    } catch (error) {
      rmSync(aside, { force: true });
      throw error;
    }
  }

  #pathOf(script: string, stage: string): string {
    return join(this.#directory, `${basename(script)}.${stage}`);
  }
}

/** Whether only this process's user can have written it. On Windows the profile of a user is private. */
function isOwn({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & writableByOthers) === 0);
}

/** The directory itself or, while there is none, the one it would be made in. */
function nearest(directory: string): string {
  let path = directory;
  while (!statSync(path, { throwIfNoEntry: false }) && dirname(path) !== path) path = dirname(path);
  return path;
}

/** @returns Whether it was absent. */
function makeDirectory(path: string, depth = 0): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // Not Node's recursion, which loops forever where a directory exists but takes no entries (/proc).
    if (code !== 'ENOENT' || depth === maxParents) throw error;
    makeDirectory(dirname(path), depth + 1);
    mkdirSync(path, { mode: 0o700 });
  }
  return true;
}

function removeUnused(folder: string, current: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name !== current && Date.now() - statSync(path).mtimeMs > unusedMs)
      rmSync(path, { recursive: true, force: true });
  }
}
