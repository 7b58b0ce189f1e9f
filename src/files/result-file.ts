/** Files that a command writes as a whole when it knows what belongs in them: plans, lock files, receipts. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readlink, realpath, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OciError } from '../model/errors.ts';
import { syncDirectory, writeNew } from './durable.ts';
import { fileError, hasErrno } from './file-errors.ts';
import { rename, stat, unlink } from './system-calls.ts';

export interface ResultFile {
  /** Its path. */
  readonly file: string;
  /** What messages call it: `lock file`. */
  readonly what: string;
  /** The option that names it: `--lock`. */
  readonly flag: string;
}

/**
 * Whether a file can be written, which is tried: called before the first request, it spares users a long run whose result is
 * lost. The file and its directory stay as they are.
 *
 * @throws OciError STORAGE_*
 */
export async function checkResultFile(result: ResultFile): Promise<void> {
  await onResult(result, async () => {
    const { target, isPlain } = await targetOf(result.file);
    if (!isPlain) return await access(target, constants.W_OK);
    const draft = draftOf(target);
    await writeNew(draft, new Uint8Array(), { durable: false });
    await unlink(draft);
  });
}

/**
 * Writes a file: whole, or it stays as it was. A link stays, and what it leads to is replaced; a pipe or a device is written to.
 *
 * @throws OciError STORAGE_*
 */
export async function writeResultFile(result: ResultFile, text: string): Promise<void> {
  await onResult(result, async () => {
    const { target, isPlain } = await targetOf(result.file);
    if (!isPlain) return await writeFile(target, text);
    const draft = draftOf(target);
    try {
      await writeNew(draft, new TextEncoder().encode(text));
      await rename(draft, target);
      await syncDirectory(dirname(target));
    } catch (error) {
      await unlink(draft).catch(() => {});
      throw error;
    }
  });
}

interface Target {
  readonly target: string;
  /** Whether it is a regular file, or will be one. */
  readonly isPlain: boolean;
}

async function targetOf(file: string): Promise<Target> {
  try {
    const facts = await stat(file);
    if (facts.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
    return facts.isFile() ? { target: await realpath(file), isPlain: true } : { target: file, isPlain: false };
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    const next = await linkedFrom(file);
    return next === undefined ? { target: file, isPlain: true } : await targetOf(next);
  }
}

/** Where a link leads that leads to nothing; undefined if there is none. */
async function linkedFrom(file: string): Promise<string | undefined> {
  try {
    const to = await readlink(file);
    return resolve(await realpath(dirname(file)), to);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}

// In containers, all processes may have one ID, and one that was killed leaves its file.
function draftOf(file: string): string {
  return `${file}.${randomUUID()}.tmp`;
}

async function onResult({ file, what, flag }: ResultFile, operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) {
      const { target } = await targetOf(file).catch(() => ({ target: file }));
      throw new OciError('STORAGE', `cannot write the ${what} ${file}: there is no directory ${dirname(target)}`, {
        hint: 'make it first, or check the path',
        cause: error,
      });
    }
    throw fileError(error, `write the ${what}`, file, {
      full: 'make room there',
      elsewhere: `name another file with ${flag}`,
    });
  }
}
