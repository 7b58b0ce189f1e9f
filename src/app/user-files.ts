/** Files that users name: input, and output that appears complete. Part of the composition root, loaded by commands that need it. */
import { closeSync, constants, createReadStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { openFileOutput } from '../archive/write/output.ts';
import { fileContent } from '../files/file-content.ts';
import { fileError, hasErrno } from '../files/file-errors.ts';
import { openedFile, readerOf } from '../files/file-reader.ts';
import { openFile } from '../files/system-calls.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { BlobSource, Sink } from '../registry/content.ts';
import type { SignalOption } from '../registry/registry.ts';
import type { InputStream } from '../terminal/prompt.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** What a command reads. A pipe or standard input can be read once. */
export interface InputFile {
  /** In messages. */
  readonly name: string;
  /** Bytes; undefined for what is not a regular file. */
  readonly size: number | undefined;
  /** Its bytes, from the beginning. @throws OciError STORAGE_* */
  read(opts: SignalOption): AsyncIterable<Uint8Array>;
  /** For a regular file: a source of the blob that it is. @throws OciError STORAGE_* when it is opened */
  source(descriptor: Descriptor): BlobSource;
}

/** What a command writes. Disposing without `finish` leaves nothing behind. */
export interface OutputFile extends Sink, AsyncDisposable {
  /** Gives the file its name. @throws OciError STORAGE_* */
  finish(opts?: SignalOption): Promise<void>;
}

/**
 * @param word A path; `-` for standard input.
 * @throws OciError USAGE if there is no such file, it is a directory, or standard input is a terminal.
 */
export async function openInput(word: string, stdin: () => InputStream): Promise<InputFile> {
  if (word === '-') return streamInput('standard input', stdin());
  // Without O_NONBLOCK, a pipe to which nobody writes would block.
  const descriptor = await open(word, constants.O_NONBLOCK ?? 0);
  const facts = fstatSync(descriptor);
  // A pipe, such as a shell's <(…), is gone once it is closed. As a socket it is waited for without a thread.
  if (facts.isFIFO()) return streamInput(word, new Socket({ fd: descriptor, writable: false }));
  closeSync(descriptor);
  if (!facts.isFile() && !facts.isDirectory()) return streamInput(word, createReadStream(word));
  if (facts.isDirectory()) throw new OciError('USAGE', `${word} is a directory`, { hint: 'name a file' });
  const { size } = facts;
  const content = async (of: Descriptor, offset: number, opts: SignalOption = {}) => {
    const handle = openedFile(await open(word));
    const explain = (error: unknown): unknown => cannotRead(error, word);
    return fileContent(of, readerOf(handle, size, { start: offset }, explain), opts);
  };
  return {
    name: word,
    size,
    async *read(opts) {
      // Only its bytes are asked for, and its digest is not known yet.
      yield* await content({} as Descriptor, 0, opts);
    },
    source: (of) => ({ open: (offset, opts) => content(of, offset, opts) }),
  };
}

/** @param path Undefined for standard output. @throws OciError USAGE for a terminal; REFUSED for a directory; STORAGE_* */
export async function openOutput(path: string | undefined, terminal: Terminal): Promise<OutputFile> {
  if (path === undefined) {
    return { ...terminal.takeOut(), finish: async () => {}, [Symbol.asyncDispose]: async () => {} };
  }
  const output = await openFileOutput(path);
  let size = 0;
  return {
    async write(chunk) {
      const at = size;
      size += chunk.length;
      await output.writeAt(chunk, at);
    },
    finish: (opts) => output.finish(size, opts),
    [Symbol.asyncDispose]: () => output[Symbol.asyncDispose](),
  };
}

function streamInput(name: string, input: InputStream): InputFile {
  if (input.isTTY) {
    throw new OciError('USAGE', 'standard input is a terminal', { hint: 'name a file, or give the bytes by a pipe' });
  }
  return {
    name,
    size: undefined,
    async *read({ signal }) {
      const stop = (): void => void input.destroy();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        for await (const chunk of input) yield Buffer.from(chunk);
      } finally {
        signal?.removeEventListener('abort', stop);
        signal?.throwIfAborted();
      }
    },
    source: () => {
      throw new TypeError(`${name} cannot be read again`);
    },
  };
}

async function open(path: string, flags = 0): Promise<number> {
  return await openFile(resolve(path), constants.O_RDONLY | flags).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) {
      throw new OciError('USAGE', `there is no file ${path}`, { hint: 'check the path', cause: error });
    }
    throw cannotRead(error, path);
  });
}

function cannotRead(error: unknown, path: string): unknown {
  return fileError(error, 'read', path, { full: 'make room there', elsewhere: 'name another file' });
}
