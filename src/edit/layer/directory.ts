/** A directory as the entries of a layer: the same for the same content, on every machine. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { fileError, hasErrno } from '../../files/file-errors.ts';
import { nameOf } from '../../image/tar/names.ts';
import type { NewEntry, TarPart } from '../../image/tar/write.ts';
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';

export interface DirectoryOptions {
  /** Paths in the layer begin with it, without slashes around it. Empty: the directory is the root of the image. */
  readonly prefix: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Of everything. With `keepTimes` the latest. Undefined: 1970, or with `keepTimes` none. */
  readonly time: Date | undefined;
  /** Whether files keep the time of their last change, in seconds. */
  readonly keepTimes: boolean;
}

/** What is still to be written. Those of a directory follow it, in the order of their bytes. */
interface Pending {
  readonly path: Buffer;
  /** In the layer. */
  readonly name: string;
}

const slash = Buffer.from('/');
const chunkBytes = 256 * 1024;

/**
 * The entries of what is in a directory. The directory itself is none: it exists in the image, or is made as any missing one is.
 * Several names of one file are hard links. Extended attributes and names of users are left out.
 *
 * @throws OciError USAGE for what no layer should hold: sockets and devices; DIGEST_MISMATCH for what changes meanwhile; STORAGE_*
 */
export async function* directoryParts(root: string, options: DirectoryOptions): AsyncGenerator<TarPart> {
  const links = new Map<string, string>();
  const pending = await below(Buffer.from(root), options.prefix);
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { path, name } = next;
    const facts = await onFile(path, () => lstat(path));
    const common = commonOf(facts, options);
    if (facts.isDirectory()) {
      yield { entry: { ...common, path: `${name}/`, type: 'directory' } };
      for (const one of await below(path, name)) pending.push(one);
      continue;
    }
    const first = facts.nlink > 1 ? links.get(`${facts.dev}:${facts.ino}`) : undefined;
    if (first !== undefined) {
      yield { entry: { ...common, path: name, type: 'link', linkname: first } };
      continue;
    }
    if (facts.nlink > 1) links.set(`${facts.dev}:${facts.ino}`, name);
    if (facts.isSymbolicLink()) {
      const leads = await onFile(path, () => readlink(path, { encoding: 'buffer' }));
      yield { entry: { ...common, path: name, type: 'symlink', mode: 0o777, linkname: nameOf(leads) } };
    } else if (facts.isFile()) yield* filePart(path, { ...common, path: name, type: 'file' });
    else if (facts.isFIFO()) yield { entry: { ...common, path: name, type: 'fifo' } };
    else throw notHeld(path, facts);
  }
}

function commonOf(
  facts: Stats,
  { owner, time, keepTimes }: DirectoryOptions,
): Pick<NewEntry, 'mode' | 'mtime' | 'uid' | 'gid'> {
  const latest = time === undefined ? undefined : Math.floor(time.getTime() / 1000);
  const own = Math.floor(facts.mtimeMs / 1000);
  const seconds = keepTimes ? Math.min(own, latest ?? own) : (latest ?? 0);
  return { ...owner, mode: facts.mode & 0o7777, mtime: { seconds, nanoseconds: 0 } };
}

/** What is in a directory, the last name first. */
async function below(directory: Buffer, name: string): Promise<Pending[]> {
  const names = await onFile(directory, () => readdir(directory, { encoding: 'buffer' }));
  return names
    .sort(Buffer.compare)
    .reverse()
    .map((one) => ({
      path: Buffer.concat([directory, slash, one]),
      name: name === '' ? nameOf(one) : `${name}/${nameOf(one)}`,
    }));
}

async function* filePart(path: Buffer, entry: NewEntry): AsyncGenerator<TarPart> {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await onFile(path, () => open(path, flags));
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw changed(path);
    yield { entry: { ...entry, size: facts.size }, content: contentOf(file, path, facts.size) };
  } finally {
    await file.close();
  }
}

async function* contentOf(file: FileHandle, path: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size));
  for (let position = 0; position < size; ) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, size - position), position);
    if (bytesRead === 0) throw changed(path);
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

async function onFile<T>(path: Buffer, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ELOOP')) throw changed(path);
    throw fileError(error, 'read', shownPath(path), { full: 'make room there', elsewhere: 'name another directory' });
  }
}

function changed(path: Buffer): OciError {
  return new OciError('DIGEST_MISMATCH', `${shownPath(path)} changed while it was read`, {
    hint: 'try again when nothing writes to it',
  });
}

function notHeld(path: Buffer, facts: Stats): OciError {
  const what = facts.isSocket() ? 'a socket' : 'a device';
  return new OciError('USAGE', `${shownPath(path)} is ${what}, which is not put into a layer`, { hint: 'remove it' });
}

function shownPath(path: Buffer): string {
  return visible(path.toString());
}
