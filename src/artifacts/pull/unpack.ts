/** Unpacks the tar archive that a directory of an artifact is. */
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveFile } from '../../archive/envelope/archive-file.ts';
import { invalidArchive } from '../../archive/envelope/errors.ts';
import { blockBytes, type EntryHeader, HeaderReader } from '../../archive/envelope/headers.ts';
import { bufferBytes, giveBuffer, takeBuffer } from '../../files/buffers.ts';
import { directoryMode } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import { quote, visible } from '../../model/quote.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { onFiles } from './on-files.ts';
import { maxDepth, readPath } from './titles.ts';

/** Limits for what is done and kept in memory; the size of the files has none. */
const maxEntries = 1_000_000;
const maxDirectories = 100_000;
const maxLinkBytes = 4096;

/** Permissions alone: no bits that make a program run as its owner. */
const permissions = 0o777;
const ownerMay = 0o700;

/** A directory that gets its attributes when everything is in its place. */
export interface UnpackedDirectory {
  /** The names that lead to it from the unpacked directory. */
  readonly path: readonly string[];
  /** Bits that its mode shall not have, which were needed to fill it. */
  readonly without: number;
  readonly modified: Date | undefined;
}

interface UnpackOptions extends SignalOption {
  /** Where the directory is made; there is nothing yet. */
  readonly into: string;
  /** Begins the names in the archive. */
  readonly prefix: readonly string[];
}

/**
 * Unpacks an archive into a new directory. Modes and times are kept, owners are not, nor bits that make a program run as its
 * owner.
 *
 * @returns Its directories, those inside others first.
 * @throws OciError ARCHIVE_INVALID for a damaged archive, for names and links that lead out of the directory, names twice,
 * devices, and sparse files; TOO_LARGE past the limits; STORAGE_*.
 */
export async function unpackTar(
  file: ArchiveFile,
  { into, prefix, signal }: UnpackOptions,
): Promise<readonly UnpackedDirectory[]> {
  const tree = new Tree(file, into, prefix);
  const headers = new HeaderReader(file);
  let position = 0;
  for (let entries = 1; ; entries += 1) {
    signal?.throwIfAborted();
    const header = await headers.read(position);
    if (header === undefined) break;
    if (entries > maxEntries) throw excess(file, `has more than ${maxEntries} entries`);
    await tree.add(header, signal);
    position = header.offset + Math.ceil(header.size / blockBytes) * blockBytes;
  }
  if (position === 0) throw invalidArchive(file.shown, 'is empty');
  return tree.directories();
}

/** A directory that is being filled. */
class Tree {
  readonly #file: ArchiveFile;
  readonly #root: string;
  readonly #prefix: readonly string[];
  /** By their paths. What is not in here is no parent: it may be a link. */
  readonly #directories = new Map<string, { without: number; modified: Date | undefined }>();

  constructor(file: ArchiveFile, root: string, prefix: readonly string[]) {
    this.#file = file;
    this.#root = root;
    this.#prefix = prefix;
  }

  directories(): readonly UnpackedDirectory[] {
    const all = [...this.#directories].map(([path, facts]) => ({ path: path === '' ? [] : path.split('/'), ...facts }));
    return all.sort((a, b) => b.path.length - a.path.length);
  }

  async add(header: EntryHeader, signal: AbortSignal | undefined): Promise<void> {
    const { type, flag, pax } = header;
    const path = this.#pathOf(header);
    const isSparse = flag === 'S' || Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'));
    if (isSparse) throw this.#hostile(header, 'is a sparse file');
    if (type === 'directory') return await this.#addDirectory(header, path);
    if (path.length === 0) throw this.#hostile(header, 'has the name of the directory itself');
    await this.#make(path.slice(0, -1));
    const target = join(this.#root, ...path);
    if (type === 'file' || type === 'contiguous-file') return await this.#addFile(header, target, signal);
    if (header.size > 0) throw this.#hostile(header, 'is not a file, and yet has a size');
    if (type === 'symlink') return await this.#addSymlink(header, target, path);
    if (type === 'link') return await this.#addLink(header, target);
    throw this.#hostile(header, 'is a device, a pipe or of an unknown type');
  }

  async #addDirectory(header: EntryHeader, path: readonly string[]): Promise<void> {
    if (header.size > 0) throw this.#hostile(header, 'is a directory, and yet has a size');
    if (path.length > 0) await this.#make(path.slice(0, -1));
    const key = path.join('/');
    const mode = header.mode & permissions;
    if (!this.#directories.has(key)) await this.#makeOne(path, mode | ownerMay);
    this.#directories.set(key, { without: ownerMay & ~mode, modified: header.modified });
  }

  /** Makes directories that the archive does not name before what is in them. */
  async #make(path: readonly string[]): Promise<void> {
    if (this.#directories.has(path.join('/'))) return;
    for (let length = 0; length <= path.length; length += 1) {
      const part = path.slice(0, length);
      if (this.#directories.has(part.join('/'))) continue;
      await this.#makeOne(part, directoryMode);
      this.#directories.set(part.join('/'), { without: 0, modified: undefined });
    }
  }

  async #makeOne(path: readonly string[], mode: number): Promise<void> {
    if (this.#directories.size >= maxDirectories) {
      throw excess(this.#file, `has more than ${maxDirectories} directories`);
    }
    await this.#create(path.join('/'), () => mkdir(join(this.#root, ...path), { mode }));
  }

  async #addFile({ name, mode, size, offset, modified }: EntryHeader, target: string, signal: AbortSignal | undefined) {
    if (offset + size > this.#file.size) {
      throw invalidArchive(this.#file.shown, `is cut off: it ends in the middle of ${quote(name)}`);
    }
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    await using handle = await this.#create(name, () => open(target, flags, mode & permissions));
    const buffer = takeBuffer();
    try {
      for (let done = 0; done < size; ) {
        signal?.throwIfAborted();
        const piece = buffer.subarray(0, Math.min(bufferBytes, size - done));
        await this.#file.read(piece, offset + done);
        await onFiles('write', visible(name), () => handle.writeFile(piece));
        done += piece.length;
      }
    } finally {
      giveBuffer(buffer);
    }
    await onFiles('write', visible(name), async () => {
      await handle.utimes(modified, modified);
      await handle.sync();
    });
  }

  // A link leads to its own directory or above it first, and then down. So it cannot rise through another link.
  async #addSymlink(header: EntryHeader, target: string, path: readonly string[]): Promise<void> {
    const { linkName } = header;
    const names = linkName.split('/').filter((name) => name !== '' && name !== '.');
    const down = names.findIndex((name) => name !== '..');
    const rises = down === -1 ? names.length : down;
    const isPlain = linkName !== '' && !/^\/|[\\\0]|^[a-z]:/i.test(linkName);
    if (!isPlain || rises >= path.length || names.slice(rises).includes('..')) throw this.#leadsOut(header);
    if (Buffer.byteLength(linkName) > maxLinkBytes) throw excess(this.#file, 'has a link of too many bytes');
    await this.#create(header.name, () => symlink(linkName, target));
  }

  async #addLink(header: EntryHeader, target: string): Promise<void> {
    const linked = this.#below(header.linkName).path;
    if (!linked || linked.length === 0 || !this.#directories.has(linked.slice(0, -1).join('/'))) {
      throw this.#leadsOut(header);
    }
    const source = join(this.#root, ...linked);
    const facts = await lstat(source).catch(() => undefined);
    if (!facts?.isFile()) throw this.#leadsOut(header);
    await this.#create(header.name, () => link(source, target));
  }

  /** The path of an entry below the title of the directory, which begins every name. */
  #pathOf(header: EntryHeader): readonly string[] {
    const { path, problem } = this.#below(header.name);
    if (!path) throw this.#hostile(header, `is not in this directory${problem === undefined ? '' : `: ${problem}`}`);
    if (path.length > maxDepth) throw excess(this.#file, `has more than ${maxDepth} directories in each other`);
    return path;
  }

  #below(name: string): { readonly path?: readonly string[]; readonly problem?: string | undefined } {
    const { names, problem } = readPath(name);
    const isBelow = problem === undefined && this.#prefix.every((part, i) => names[i] === part);
    return isBelow ? { path: names.slice(this.#prefix.length) } : { problem };
  }

  async #create<T>(name: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await onFiles('write', visible(name), operation);
    } catch (error) {
      const { cause } = error as { readonly cause?: unknown };
      // Also a name that lies in a file or a link, and names that the file system takes for one.
      if (!hasErrno(cause, 'EEXIST', 'ENOTDIR')) throw error;
      throw new OciError('ARCHIVE_INVALID', `${this.#file.shown} is refused: ${quote(name)} is in it twice`, {
        hint,
        cause,
      });
    }
  }

  #leadsOut(header: EntryHeader): OciError {
    return this.#hostile(header, `is a link out of it, or to nothing in it: ${quote(header.linkName)}`);
  }

  #hostile({ name }: EntryHeader, what: string): OciError {
    return new OciError('ARCHIVE_INVALID', `${this.#file.shown} is refused: ${quote(name)} ${what}`, { hint });
  }
}

const hint = 'nothing was written; ocictl blob get NAME@DIGEST reads the archive as it is';

function excess({ shown }: ArchiveFile, what: string): OciError {
  return new OciError('TOO_LARGE', `${shown} ${what}`, { hint });
}
