import { closeSync, constants, fstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { openFile } from '../../files/system-calls.ts';
import { OciError } from '../../model/errors.ts';
import { type ArchiveFile, archiveFile } from './archive-file.ts';
import { compressionOf, magicBytes } from './compression.ts';
import { archiveError, invalidArchive } from './errors.ts';
import { spool, unreadable } from './spool.ts';

/** Standard input, as bytes. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean | undefined;
  /** Ends a read that waits for bytes. */
  destroy?(): unknown;
}

export interface ArchiveSource {
  /** A path; `-` for standard input. */
  readonly file: string;
  /** Opens standard input. */
  readonly stdin: () => ByteStream;
  /** The name of standard input in messages, if it is something else. */
  readonly shown?: string;
  readonly signal?: AbortSignal | undefined;
}

/** A compressed file is read in pieces of this size. */
const pieceBytes = 256 * 1024;

/**
 * Opens an archive's file for reading by offsets. A compressed one, or a stream, is written to a temporary file first.
 *
 * @throws OciError NAME_UNKNOWN if there is no such file, or it is a directory; USAGE for a pipe, a device or a terminal; as {@link spool}.
 */
export async function openArchiveFile({ file, stdin, shown, signal }: ArchiveSource): Promise<ArchiveFile> {
  if (file === '-') return await spoolInput(refuseTerminal(stdin()), shown, signal);
  const opened = await openRegular(file);
  try {
    const first = Buffer.alloc(magicBytes);
    await opened.read(first, 0);
    const compression = compressionOf(first);
    if (compression === 'none') return opened;
    if (compression === 'xz' || compression === 'bzip2') throw unreadable(file, compression, file);
    const unpacked = await spool(contentOf(opened), file, { signal });
    opened.close();
    return unpacked;
  } catch (error) {
    opened.close();
    throw error;
  }
}

const emptyInput =
  'what was to write the archive there wrote nothing: look at its own error, or name a file, as in ocictl load -i FILE';

async function spoolInput(
  input: ByteStream,
  other: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ArchiveFile> {
  const stop = (): void => void input.destroy?.();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const emptyHint = other === undefined ? emptyInput : undefined;
    const file = await spool(input, other ?? 'standard input', { signal, emptyHint });
    // A stream that was destroyed may just end.
    if (signal?.aborted) file.close();
    signal?.throwIfAborted();
    return file;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function refuseTerminal(input: ByteStream): ByteStream {
  if (input.isTTY !== true) return input;
  throw new OciError('USAGE', 'standard input is a terminal, not an archive', {
    hint: 'give a file, as in ocictl load -i FILE, or a pipe, as in docker save IMAGE | ocictl load',
  });
}

async function* contentOf(file: ArchiveFile): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = 0; ; ) {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    const size = await file.read(piece, position);
    if (size === 0) return;
    position += size;
    yield piece.subarray(0, size);
  }
}

async function openRegular(file: string): Promise<ArchiveFile> {
  // Without O_NONBLOCK, a pipe to which nobody writes would block.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const descriptor = await openFile(resolve(file), flags).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) throw missing(file, error);
    if (hasErrno(error, 'ENXIO')) throw notRegular(file);
    throw archiveError(error, 'read', file);
  });
  try {
    const facts = fstatSync(descriptor);
    if (facts.isDirectory()) {
      throw new OciError('NAME_UNKNOWN', `${file} is a directory, not an archive`, {
        hint: `an OCI layout is read as oci:${file}, a directory of skopeo as dir:${file}`,
      });
    }
    if (!facts.isFile()) throw notRegular(file);
    if (facts.size === 0) throw invalidArchive(file, 'is empty');
    return archiveFile(descriptor, file, facts.size);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function missing(file: string, cause: unknown): OciError {
  return new OciError('NAME_UNKNOWN', `there is no archive ${file}`, { hint: 'check the path', cause });
}

function notRegular(file: string): OciError {
  return new OciError('USAGE', `${file} is a pipe or a device, not a file`, {
    hint: `give it on standard input: ocictl load < ${file}`,
  });
}
