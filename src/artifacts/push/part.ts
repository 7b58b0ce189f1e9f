import { closeSync, constants, fstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { readerAt } from '../../archive/envelope/archive-file.ts';
import { writeTemporary } from '../../archive/envelope/spool.ts';
import { drainFile, fileContent } from '../../files/file-content.ts';
import { fileError, hasErrno } from '../../files/file-errors.ts';
import { type FileReader, openedFile, readerOf } from '../../files/file-reader.ts';
import { openFile } from '../../files/system-calls.ts';
import { ThreadHasher } from '../../files/thread-hasher.ts';
import { digestBytes } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, bytesSource } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';

/** A blob of an artifact: where its bytes are. */
export interface Part {
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  /** Removes its temporary file, if it has one. */
  close(): void;
}

/** What identifies the content of a file, as far as the system tells. */
interface FileFacts {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** A regular file that was opened. */
interface OpenedFile {
  /** From the beginning. At its end it is known whether the file has changed. */
  reader(start?: number): FileReader;
  readonly facts: FileFacts;
  readonly size: number;
  close(): void;
}

/** @param flags Beside those to read. @throws OciError USAGE if it is not there, or no regular file; STORAGE_* */
export async function openPart(path: string, flags = 0): Promise<OpenedFile> {
  const explain = (error: unknown): unknown => cannotRead(error, path);
  // Without O_NONBLOCK, a pipe to which nobody writes would block.
  const how = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | flags;
  const descriptor = await openFile(resolve(path), how).catch((error: unknown) => {
    if (hasErrno(error, 'ENXIO')) throw notAFile(path, 'a socket or a pipe');
    throw explain(error);
  });
  const facts = fstatSync(descriptor, { bigint: true });
  if (!facts.isFile()) {
    closeSync(descriptor);
    if (facts.isDirectory()) throw new OciError('USAGE', `${path} is a directory`, { hint: 'name a file' });
    throw notAFile(path, facts.isFIFO() ? 'a named pipe' : 'a device or a socket');
  }
  const size = Number(facts.size);
  const handle = openedFile(descriptor);
  return {
    facts,
    size,
    close: () => void handle.close(),
    reader(start = 0) {
      const file = readerOf(handle, size, { start }, explain);
      let left = size - start;
      return {
        size,
        async read(into) {
          const read = await file.read(into);
          left -= read;
          if (left > 0 && read === 0) throw changed(path);
          if (left === 0 && !isSame(facts, fstatSync(descriptor, { bigint: true }))) throw changed(path);
          return read;
        },
        close: () => file.close(),
      };
    },
  };
}

/**
 * A file: read once for its digest, and again when it is sent.
 *
 * @throws OciError as {@link openPart}; DIGEST_MISMATCH, also of the source, for a file that changes meanwhile.
 */
export async function filePart(path: string, mediaType: string, { signal }: SignalOption): Promise<Part> {
  const hasher = new ThreadHasher();
  const opened = await openPart(path);
  try {
    await drainFile(opened.reader(), { write: (chunk) => hasher.update(chunk) }, [signal]);
  } finally {
    opened.close();
  }
  const { digest } = await hasher.end();
  const descriptor = { mediaType, digest, size: opened.size };
  return {
    descriptor,
    source: {
      async open(offset, opts) {
        const again = await openPart(path);
        if (!isSame(opened.facts, again.facts)) {
          again.close();
          throw changed(path);
        }
        return fileContent(descriptor, again.reader(offset), opts);
      },
    },
    close: () => {},
  };
}

/** Bytes in memory. */
export async function bytesPart(bytes: Uint8Array, mediaType: string): Promise<Part> {
  const descriptor = { mediaType, digest: await digestBytes(bytes), size: bytes.length };
  return { descriptor, source: bytesSource(descriptor, bytes), close: () => {} };
}

/**
 * What can be read once: it is written to a temporary file that only this process has, because its digest must be known
 * before it is sent.
 *
 * @param shown Its name in messages. @throws OciError STORAGE_*; what the stream throws.
 */
export async function streamPart(
  stream: AsyncIterable<Uint8Array>,
  mediaType: string,
  { shown, signal }: SignalOption & { readonly shown: string },
): Promise<Part> {
  const hasher = new ThreadHasher();
  const file = await writeTemporary(hashed(stream, hasher, signal), shown, 'write');
  const { size } = file;
  const { digest } = await hasher.end();
  const descriptor = { mediaType, digest, size };
  return {
    descriptor,
    source: {
      open: async (start, opts) => fileContent(descriptor, readerAt(file, { offset: 0, size }, { start }), opts),
    },
    close: () => file.close(),
  };
}

/** Hashes what passes. */
export async function* hashed(
  source: AsyncIterable<Uint8Array>,
  hasher: { update(chunk: Uint8Array): Promise<void> | void },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    signal?.throwIfAborted();
    await hasher.update(chunk);
    yield chunk;
  }
}

/** The error for a file whose bytes are no longer those that its digest is of. */
export function changed(path: string): OciError {
  return new OciError('DIGEST_MISMATCH', `${path} changed while it was pushed`, {
    hint: 'try again when nothing writes to it',
  });
}

/** The error for what an artifact cannot hold. */
export function notAFile(path: string, what: string): OciError {
  return new OciError('USAGE', `${path} is ${what}, which an artifact cannot hold`, {
    hint: 'name a file or a directory; - is standard input',
  });
}

export function cannotRead(error: unknown, path: string): unknown {
  if (hasErrno(error, 'ENOENT')) return new OciError('USAGE', `there is no file ${path}`, { cause: error });
  return fileError(error, 'read', path, { full: 'make room there', elsewhere: 'name another file' });
}

function isSame(one: FileFacts, other: FileFacts): boolean {
  return one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs;
}
