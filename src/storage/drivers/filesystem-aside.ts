/**
 * Deletes a file only if it has certain bytes, for which there is no system call. The file is read, renamed to
 * `<name>.<hash of the bytes>.<process>`, and read again. If it has other bytes by then, it gets its name back, unless
 * a newer file has that name. In this case the file is missing for a moment. If the process dies within it, {@link
 * mendAside} finishes: the name tells what was intended.
 */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { newProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import { lstat, rename, unlink } from '../../files/system-calls.ts';
import { isOciError } from '../../model/errors.ts';
import { linkNew, readWhole } from './filesystem-files.ts';
import { orAbsent } from './filesystem-root.ts';

/** Larger than any file that is deleted this way. */
const maxBytes = 4_096;
const dayMs = 24 * 60 * 60 * 1_000;

/** @returns Whether the file had these bytes and was deleted. */
export async function deleteIf(file: string, bytes: Uint8Array): Promise<boolean> {
  if (!(await holds(file, bytes))) return false;
  const aside = `${file}.${hashOf(bytes)}.${newProcessId()}`;
  if ((await orAbsent(rename(file, aside).then(() => true))) === undefined) return false;
  if (!(await holds(aside, bytes))) {
    await putBack(aside, file);
    return false;
  }
  await orAbsent(unlink(aside));
  return true;
}

/** Finishes a {@link deleteIf} of a dead process. @returns Whether the file aside is gone. */
export async function mendAside(aside: string): Promise<boolean> {
  const [, name, hash, holder = ''] = /^(.+)\.([0-9a-f]{16})\.([^.]+)$/.exec(basename(aside)) ?? [];
  const process = tryParseProcessId(holder);
  if (name === undefined || process === undefined) return false;
  const state = processState(process);
  const facts = await orAbsent(lstat(aside));
  if (facts === undefined) return true;
  if (state === 'alive' || (state === 'unknown' && Date.now() - facts.ctimeMs < dayMs)) return false;
  const found = await orAbsent(readWhole(aside, maxBytes));
  if (found !== undefined && hashOf(found) !== hash) return await putBack(aside, join(dirname(aside), name));
  await orAbsent(unlink(aside));
  return true;
}

// Another process that mends may have done it already.
async function putBack(aside: string, file: string): Promise<boolean> {
  const isBack = (await orAbsent(linkNew(aside, file))) === true;
  if (isBack) await syncDirectory(dirname(file));
  await orAbsent(unlink(aside));
  return !isBack;
}

async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const found = await orAbsent(readWhole(file, bytes.length));
    return found !== undefined && Buffer.compare(found, bytes) === 0;
  } catch (error) {
    if (isOciError(error, 'TOO_LARGE') || hasErrno(error, 'ELOOP')) return false;
    throw error;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
