import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileMode, syncDirectory } from '../../files/durable.ts';
import { fileError } from '../../files/file-errors.ts';
import { type FileReader, readerOf } from '../../files/file-reader.ts';
import { removeLeftBehind } from '../../files/left-behind.ts';
import { newProcessId } from '../../files/process-id.ts';

/** Begins the names of files that are not complete. After it comes the process that writes. */
const prefix = '.ocictl-archive.';

const hints = {
  full: 'free some space, or write to another disk',
  elsewhere: 'choose another directory',
};

/** Runs operations on an archive's file. Their errors then name the action and the file. */
export async function onArchive<T>(action: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw fileError(error, action, file, hints);
  }
}

/** A file that is written under a name of its own before it gets the name that it shall have. */
export class TemporaryFile implements AsyncDisposable {
  readonly #shown: string;
  readonly #handle: FileHandle;
  #path: string | undefined;
  #closing: Promise<void> | undefined;

  private constructor(shown: string, handle: FileHandle, path: string | undefined) {
    this.#shown = shown;
    this.#handle = handle;
    this.#path = path;
  }

  /**
   * Creates a file, and removes those that killed processes left there.
   *
   * @param shown The name in messages.
   */
  static async create(directory: string, shown: string): Promise<TemporaryFile> {
    await removeLeftBehind(directory, prefix);
    const path = join(directory, prefix + newProcessId());
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    return new TemporaryFile(shown, await onArchive('write', shown, () => open(path, flags, fileMode)), path);
  }

  /** The same without a name, where the system can do that: even a killed process leaves nothing. */
  static async createNameless(directory: string, shown: string): Promise<TemporaryFile> {
    const file = await TemporaryFile.create(directory, shown);
    const path = file.#path;
    if (path === undefined || process.platform === 'win32') return file;
    await unlink(path).catch(() => {});
    file.#path = undefined;
    return file;
  }

  /** Writes all bytes. Several writes may run at once. */
  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    await onArchive('write', this.#shown, async () => {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, position + written);
        written += bytesWritten;
      }
    });
  }

  /** Writes one chunk after another, from the beginning. */
  appending(): { readonly size: number; write(chunk: Uint8Array): Promise<void> } {
    let size = 0;
    return {
      get size() {
        return size;
      },
      write: async (chunk) => {
        const position = size;
        size += chunk.length;
        await this.writeAt(chunk, position);
      },
    };
  }

  /** @param size What was not written is zeros. */
  async setSize(size: number): Promise<void> {
    await onArchive('write', this.#shown, () => this.#handle.truncate(size));
  }

  /** Fills `into` from a position. @returns Bytes read: fewer only at the end. */
  async readAt(into: Uint8Array, position: number): Promise<number> {
    return await onArchive('read', this.#shown, async () => {
      for (let filled = 0; ; ) {
        const { bytesRead } = await this.#handle.read(into, filled, into.length - filled, position + filled);
        filled += bytesRead;
        if (bytesRead === 0 || filled === into.length) return filled;
      }
    });
  }

  /** Reads it from the beginning. Closing the reader ends the file. */
  reader(size: number): FileReader {
    return readerOf(this.#handle, size, undefined, (error) => fileError(error, 'read', this.#shown, hints));
  }

  /** Gives the file its name, durably, in place of what has it now. */
  async moveTo(path: string): Promise<void> {
    await onArchive('write', this.#shown, async () => {
      await this.#handle.sync();
      await this.#close();
      if (this.#path !== undefined) await rename(this.#path, path);
      this.#path = undefined;
      await syncDirectory(join(path, '..'));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close().catch(() => {});
    if (this.#path !== undefined) await unlink(this.#path).catch(() => {});
    this.#path = undefined;
  }

  async #close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    await this.#closing;
  }
}
