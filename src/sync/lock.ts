/** Lock files: the digest that each tag had, so that later runs copy the same images. */
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { configError } from '../config/documents/config-error.ts';
import { fieldsOf } from '../config/documents/fields.ts';
import { parseJsonDocument } from '../config/documents/json-document.ts';
import { readSettingsFile } from '../config/settings-file.ts';
import { syncDirectory, writeNew } from '../files/durable.ts';
import { fileError, hasErrno } from '../files/file-errors.ts';
import { rename, unlink } from '../files/system-calls.ts';
import { type Digest, tryParseDigest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';

const version = 1;

/** Digests by the full name of an image: `docker.io/library/alpine:3`. */
export type Lock = ReadonlyMap<string, Digest>;

/** Reads a lock file; empty if there is none. @throws OciError CONFIG_INVALID */
export async function readLock(file: string): Promise<Lock> {
  const text = await readSettingsFile(file);
  if (text === undefined) return new Map();
  const fields = fieldsOf(parseJsonDocument(text, file), file);
  if (fields.any('version')?.value !== version) {
    const hint = 'name a file that ocictl wrote, or one that does not exist yet';
    throw configError(fields.originOf('version'), `this is not a lock file of version ${version}`, hint);
  }
  return new Map(
    fields.members('images').map(([name, { value, origin }]) => {
      const digest = typeof value === 'string' ? tryParseDigest(value) : undefined;
      if (digest === undefined) throw configError(origin, `${quote(name)} has no digest`);
      return [name, digest];
    }),
  );
}

/** Writes a lock file, whole or not at all. @throws OciError STORAGE_* */
export async function writeLock(file: string, lock: Lock): Promise<void> {
  const images = Object.fromEntries([...lock].sort(([a], [b]) => (a < b ? -1 : 1)));
  const bytes = new TextEncoder().encode(`${JSON.stringify({ version, images }, undefined, 2)}\n`);
  // In containers, all processes may have one ID, and one that was killed leaves its file.
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeNew(temporary, bytes);
    await rename(temporary, file);
    await syncDirectory(dirname(file));
  } catch (error) {
    await unlink(temporary).catch(() => {});
    const hints = { full: 'make room there', elsewhere: 'name another file with --lock' };
    if (hasErrno(error, 'ENOENT')) {
      throw new OciError('STORAGE', `cannot write the lock file ${file}: there is no directory ${dirname(file)}`, {
        hint: 'make it first, or check the path',
        cause: error,
      });
    }
    throw fileError(error, 'write the lock file', file, hints);
  }
}
