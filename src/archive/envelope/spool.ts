import { randomUUID } from 'node:crypto';
import { closeSync, constants, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bufferBytes, giveBuffer, takeBuffer } from '../../files/buffers.ts';
import { openFile, writeBytes } from '../../files/system-calls.ts';
import { OciError } from '../../model/errors.ts';
import { type ArchiveFile, archiveFile } from './archive-file.ts';
import { compressionOf, decompressed, magicBytes } from './compression.ts';
import { invalidArchive, onArchive } from './errors.ts';

interface SpoolOptions {
  readonly signal?: AbortSignal | undefined;
  /** How many unpacked bytes are never a bomb. Default 4 GiB. */
  readonly bombBytes?: number;
  /** What to do about a stream without a byte. Default: make the archive again. */
  readonly emptyHint?: string | undefined;
}

/**
 * Writes a stream, unpacked, to a temporary file that only this process has: other users cannot open it, and it is gone when
 * the process ends, even if it is killed.
 *
 * @throws OciError ARCHIVE_INVALID for an empty or damaged stream, UNSUPPORTED for a compression that is not read, TOO_LARGE
 * for one that unpacks to a disproportionate size; STORAGE_FULL; the signal's reason; what the stream throws.
 */
export async function spool(
  source: AsyncIterable<Uint8Array>,
  shown: string,
  { signal, bombBytes, emptyHint }: SpoolOptions = {},
): Promise<ArchiveFile> {
  const stopping = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      yield chunk;
    }
  };
  const { first, all } = await peek(stopping());
  if (first.length === 0) throw invalidArchive(shown, 'is empty', emptyHint);
  const compression = compressionOf(first);
  if (compression === 'xz' || compression === 'bzip2') throw unreadable(shown, compression);
  const content = compression === 'none' ? all : decompressed(all, compression, { shown, bombBytes });
  return await writeTemporary(content, shown);
}

/** @param shown The name of the archive, or what is written instead of one for `command`. */
export function unreadable(shown: string, compression: 'xz' | 'bzip2', file = 'FILE'): OciError {
  const command = compression === 'xz' ? 'xz' : 'bzip2';
  return new OciError('UNSUPPORTED', `${shown} is compressed with ${compression}, which is not read`, {
    hint: `unpack it: ${command} -dc ${file} | ocictl load`,
  });
}

/**
 * Writes a stream to such a file as it is.
 *
 * @param action What is done, for errors: `unpack`.
 * @throws OciError STORAGE_*; what the stream throws.
 */
export async function writeTemporary(
  content: AsyncIterable<Uint8Array>,
  shown: string,
  action = 'unpack',
): Promise<ArchiveFile> {
  const directory = tmpdir();
  const path = join(directory, `ocictl-${randomUUID()}`);
  const onDisk = <T>(operation: () => Promise<T>): Promise<T> =>
    onArchive(`${action} ${shown} into`, directory, operation);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  const descriptor = await onDisk(() => openFile(path, flags, 0o600));
  // The open file outlives its name. Windows keeps the name until the file is closed.
  const isNamed = process.platform === 'win32';
  if (!isNamed) unlinkSync(path);
  const remove = (): void => {
    if (isNamed) unlinkSync(path);
  };
  try {
    const size = await writeAll(content, (bytes, position) =>
      onDisk(async () => {
        for (let written = 0; written < bytes.length; ) {
          const left = bytes.length - written;
          written += (await writeBytes(descriptor, bytes, written, left, position + written)).bytesWritten;
        }
      }),
    );
    return archiveFile(descriptor, shown, size, remove);
  } catch (error) {
    closeSync(descriptor);
    remove();
    throw error;
  }
}

/** Writes chunks in large pieces. @returns Their size. */
async function writeAll(
  content: AsyncIterable<Uint8Array>,
  write: (bytes: Uint8Array, position: number) => Promise<void>,
): Promise<number> {
  const buffer = takeBuffer();
  let [position, filled] = [0, 0];
  const flush = async (): Promise<void> => {
    await write(buffer.subarray(0, filled), position);
    position += filled;
    filled = 0;
  };
  try {
    for await (const chunk of content) {
      for (let taken = 0; taken < chunk.length; ) {
        const part = chunk.subarray(taken, taken + bufferBytes - filled);
        buffer.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled === bufferBytes) await flush();
      }
    }
    await flush();
    return position;
  } finally {
    giveBuffer(buffer);
  }
}

/** The first bytes of a stream, as many as a compression is known by, and the whole stream. */
async function peek(
  source: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<{ readonly first: Uint8Array; readonly all: AsyncGenerator<Uint8Array, void, undefined> }> {
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < magicBytes) {
    const { done, value } = await source.next();
    if (done === true) break;
    first = Buffer.concat([first, value]);
  }
  const all = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    if (first.length > 0) yield first;
    yield* source;
  };
  return { first, all: all() };
}
