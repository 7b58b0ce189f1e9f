/** Where an archive goes: a file that appears complete, or a stream. */
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { drainFile } from '../../files/file-content.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { compressing, type EndingSink, type Outer } from './outer.ts';
import { onArchive, TemporaryFile } from './temporary-file.ts';

/** Takes an archive that is written at any position. Disposing without `finish` leaves nothing behind. */
export interface ArchiveOutput extends AsyncDisposable {
  /** In messages. */
  readonly name: string;
  /** The file that is replaced at the end, with links followed; undefined for a stream. */
  readonly replaces?: string;
  /** For temporary files of about the size of the archive. */
  readonly directory: string;
  /** Writes all bytes. Several writes may run at once. @throws OciError STORAGE_* */
  writeAt(bytes: Uint8Array, position: number): Promise<void>;
  /**
   * Completes the archive: the file has its name, or the stream has had all bytes.
   *
   * @param totalBytes Its size; what was not written is zeros.
   */
  finish(totalBytes: number, opts?: SignalOption): Promise<void>;
}

/**
 * Writes to a file, which replaces the file of that name when it is complete. A name that leads to a device or a pipe is
 * written to as a stream.
 *
 * @param opts.isNew Whether what exists is refused instead. Default false.
 * @throws OciError REFUSED for a directory, and for what exists; UNSUPPORTED for a compression that Node lacks; STORAGE_*.
 */
export async function openFileOutput(
  path: string,
  outer: Outer = 'none',
  { isNew = false }: { readonly isNew?: boolean | undefined } = {},
): Promise<ArchiveOutput> {
  const target = await onArchive('write', path, () => realTarget(path));
  if (target.kind === 'directory') {
    throw new OciError('REFUSED', `${path} is a directory: nothing was written`, {
      hint: `name a file, as in ${join(path, 'image.tar')}`,
    });
  }
  if (isNew && target.exists) {
    throw new OciError('REFUSED', `${path} exists, and is not replaced`, { hint: 'name another file' });
  }
  const directory = dirname(target.path);
  if (target.kind === 'other') return collect(path, tmpdir(), await compressing(deviceSink(path), outer));
  const file = await TemporaryFile.create(directory, path);
  try {
    return outer === 'none' ? inPlace(path, file, target.path) : await compressed(path, file, target.path, outer);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Collects an archive in a temporary file, and sends it when it is complete.
 *
 * @throws OciError UNSUPPORTED for a compression that Node lacks; STORAGE_*.
 */
export async function openStreamOutput(name: string, sink: EndingSink, outer: Outer = 'none'): Promise<ArchiveOutput> {
  return collect(name, tmpdir(), await compressing(sink, outer));
}

function inPlace(name: string, file: TemporaryFile, target: string): ArchiveOutput {
  return {
    name,
    replaces: target,
    directory: dirname(target),
    writeAt: (bytes, position) => file.writeAt(bytes, position),
    async finish(totalBytes, opts) {
      await file.setSize(totalBytes);
      opts?.signal?.throwIfAborted();
      await file.moveTo(target);
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** @param file Gets the archive when it is compressed. */
async function compressed(name: string, file: TemporaryFile, target: string, outer: Outer): Promise<ArchiveOutput> {
  let size = 0;
  const sink: EndingSink = {
    async write(chunk) {
      await file.writeAt(chunk, size);
      size += chunk.length;
    },
    end: () => file.moveTo(target),
  };
  const collected = await collect(name, dirname(target), await compressing(sink, outer));
  return {
    ...collected,
    async [Symbol.asyncDispose]() {
      await collected[Symbol.asyncDispose]();
      await file[Symbol.asyncDispose]();
    },
  };
}

async function collect(name: string, directory: string, sink: EndingSink): Promise<ArchiveOutput> {
  const file = await TemporaryFile.createNameless(directory, name);
  return {
    name,
    directory,
    writeAt: (bytes, position) => file.writeAt(bytes, position),
    async finish(totalBytes, opts) {
      await file.setSize(totalBytes);
      await drainFile(file.reader(totalBytes), sink, [opts?.signal]);
      await sink.end?.();
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

// Opened by the first write: a pipe waits for its reader.
function deviceSink(path: string): EndingSink {
  let opening: Promise<FileHandle> | undefined;
  return {
    async write(chunk) {
      opening ??= open(path, 'w');
      const handle = await onArchive('write', path, () => opening as Promise<FileHandle>);
      await onArchive('write', path, () => handle.writeFile(chunk));
    },
    async end() {
      await (await opening)?.close();
    },
  };
}

interface Target {
  readonly kind: 'file' | 'directory' | 'other';
  readonly path: string;
  readonly exists: boolean;
}

// A link stays: what it leads to is replaced.
async function realTarget(path: string): Promise<Target> {
  try {
    const facts = await stat(path);
    if (facts.isFile()) return { kind: 'file', path: await realpath(path), exists: true };
    // A pipe that /dev/stdout leads to has no path.
    return { kind: facts.isDirectory() ? 'directory' : 'other', path, exists: true };
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return { kind: 'file', path: join(await realDirectory(resolve(path)), basename(path)), exists: false };
  }
}

async function realDirectory(path: string): Promise<string> {
  const directory = dirname(path);
  try {
    return await realpath(directory);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    throw new OciError('STORAGE', `cannot write ${path}: there is no directory ${directory}`, {
      cause: error,
      hint: 'make it first, or check the path',
    });
  }
}
