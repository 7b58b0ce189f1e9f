/** Where an archive goes: a file that appears complete, or a stream. */
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { drainFile } from '../../files/file-content.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import type { Sink } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { onArchive, TemporaryFile } from './temporary-file.ts';

/** Takes an archive that is written at any position. Disposing without `finish` leaves nothing behind. */
export interface ArchiveOutput extends AsyncDisposable {
  /** In messages. */
  readonly name: string;
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
 * @throws OciError REFUSED for a directory; STORAGE_*.
 */
export async function openFileOutput(path: string): Promise<ArchiveOutput> {
  const target = await onArchive('write', path, () => realTarget(path));
  if (target.kind === 'directory') {
    throw new OciError('REFUSED', `${path} is a directory: nothing was written`, {
      hint: `name a file, as in ${join(path, 'image.tar')}`,
    });
  }
  if (target.kind === 'other') return openStreamOutput(path, deviceSink(path));
  const file = await TemporaryFile.create(dirname(target.path), path);
  return {
    name: path,
    writeAt: (bytes, position) => file.writeAt(bytes, position),
    async finish(totalBytes, opts) {
      await file.setSize(totalBytes);
      opts?.signal?.throwIfAborted();
      await file.moveTo(target.path);
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/**
 * Collects an archive in a file without a name, and sends it when it is complete.
 *
 * @param sink Is closed at the end if it can be.
 */
export async function openStreamOutput(name: string, sink: Sink & Partial<AsyncDisposable>): Promise<ArchiveOutput> {
  const file = await TemporaryFile.createNameless(tmpdir(), name);
  return {
    name,
    writeAt: (bytes, position) => file.writeAt(bytes, position),
    async finish(totalBytes, opts) {
      await file.setSize(totalBytes);
      await drainFile(file.reader(totalBytes), sink, [opts?.signal]);
      await sink[Symbol.asyncDispose]?.();
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

// Opened by the first write: a pipe waits for its reader.
function deviceSink(path: string): Sink & AsyncDisposable {
  let opening: Promise<FileHandle> | undefined;
  return {
    async write(chunk) {
      opening ??= open(path, 'w');
      const handle = await onArchive('write', path, () => opening as Promise<FileHandle>);
      await onArchive('write', path, () => handle.writeFile(chunk));
    },
    async [Symbol.asyncDispose]() {
      await (await opening)?.close();
    },
  };
}

interface Target {
  readonly kind: 'file' | 'directory' | 'other';
  readonly path: string;
}

// A link stays: what it leads to is replaced.
async function realTarget(path: string): Promise<Target> {
  try {
    const facts = await stat(path);
    if (facts.isFile()) return { kind: 'file', path: await realpath(path) };
    // A pipe that /dev/stdout leads to has no path.
    return { kind: facts.isDirectory() ? 'directory' : 'other', path };
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return { kind: 'file', path: join(await realDirectory(resolve(path)), basename(path)) };
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
