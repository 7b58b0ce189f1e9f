/** Lock files: the digest that each tag had, so that later runs copy the same images. */
import { configError } from '../config/documents/config-error.ts';
import { fieldsOf } from '../config/documents/fields.ts';
import { parseJsonDocument } from '../config/documents/json-document.ts';
import { readSettingsFile } from '../config/settings-file.ts';
import { checkResultFile, type ResultFile, writeResultFile } from '../files/result-file.ts';
import { type Digest, tryParseDigest } from '../model/digest.ts';
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

/**
 * Checks that a lock file can be written, before the first request.
 *
 * @returns What writes it, whole or not at all.
 * @throws OciError STORAGE_*, also later
 */
export async function createLock(file: string): Promise<(lock: Lock) => Promise<void>> {
  const result: ResultFile = { file, what: 'lock file', flag: '--lock' };
  await checkResultFile(result);
  return async (lock) => {
    const images = Object.fromEntries([...lock].sort(([a], [b]) => (a < b ? -1 : 1)));
    await writeResultFile(result, `${JSON.stringify({ version, images }, undefined, 2)}\n`);
  };
}
