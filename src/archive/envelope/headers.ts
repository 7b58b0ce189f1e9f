import { extract, type Header } from 'tar-stream';
import { OciError } from '../../model/errors.ts';
import type { ArchiveFile } from './archive-file.ts';
import { invalidArchive } from './errors.ts';

export const blockBytes = 512;

/** How much is read at once: the headers of small files follow each other closely. */
const windowBytes = 32 * 1024;

/** Blocks that belong to one header: long names and PAX records come in blocks of their own. */
const maxHeaderBlocks = 2048;

// Headers without a magic, as Unix V7 wrote them, are read by their checksum. The option has no type.
const options = { allowUnknownFormat: true, highWaterMark: 1 };

/** The header of an entry, with what the blocks before it say of it. */
export interface EntryHeader {
  readonly name: string;
  /** As `tar-stream` names it; null for one that it does not know. */
  readonly type: Header['type'] | null;
  /** The type as in the header: `S` for GNU's sparse files. */
  readonly flag: string;
  readonly size: number;
  readonly linkName: string;
  /** As the header has it, with all bits. */
  readonly mode: number;
  readonly modified: Date;
  readonly pax: Readonly<Record<string, string>>;
  /** Where its content begins. */
  readonly offset: number;
}

/**
 * Reads the headers of a tar file, without the content between them. `tar-stream` gets one block after the other until it
 * knows an entry, and a new extractor for the next: what lies between is skipped by its size.
 */
export class HeaderReader {
  readonly #file: ArchiveFile;
  readonly #window = Buffer.alloc(windowBytes);
  #windowAt = 0;
  #windowSize = 0;
  #hasEnd = false;

  constructor(file: ArchiveFile) {
    this.#file = file;
  }

  /** Whether the end was marked by a block of zeros: not all programs do so, but one that does was cut off without it. */
  get hasEnd(): boolean {
    return this.#hasEnd;
  }

  /** The header at a position; undefined at the end of the archive. @throws OciError ARCHIVE_INVALID, TOO_LARGE, STORAGE_* */
  async read(position: number): Promise<EntryHeader | undefined> {
    if (await this.#isEnd(position)) return undefined;
    const extractor = extract(options);
    let header: Header | undefined;
    let failure: unknown;
    let proceed = (): void => {};
    extractor.on('entry', (found) => {
      header = found;
      proceed();
    });
    extractor.on('error', (error) => {
      failure = error;
      proceed();
    });
    // With a buffer of one byte, each block is followed by this event once it was handled.
    extractor.on('drain', () => proceed());
    // It is dropped afterwards, and not destroyed: it has nothing to free, and that would cost more than the header.
    for (let blocks = 1; ; blocks += 1) {
      const block = await this.#block(position);
      position += blockBytes;
      const handled = new Promise<void>((resolve) => {
        proceed = resolve;
      });
      extractor.write(Buffer.from(block));
      await handled;
      if (failure !== undefined) throw this.#unreadable(position - blockBytes, failure);
      if (header !== undefined) return entryOf(header, block, position);
      if (blocks === maxHeaderBlocks) throw this.#tooLong(position);
    }
  }

  // Two blocks of zeros, or the end of the file: some programs write no such blocks.
  async #isEnd(position: number): Promise<boolean> {
    if (position >= this.#file.size) return true;
    if (!isZero(await this.#block(position))) return false;
    this.#hasEnd = true;
    const next = position + blockBytes;
    if (next >= this.#file.size || isZero(await this.#block(next))) return true;
    throw invalidArchive(this.#file.shown, `has a gap in it, at byte ${position}`);
  }

  async #block(position: number): Promise<Buffer> {
    const at = position - this.#windowAt;
    if (at >= 0 && at + blockBytes <= this.#windowSize) return this.#window.subarray(at, at + blockBytes);
    this.#windowSize = await this.#file.read(this.#window, position);
    this.#windowAt = position;
    if (this.#windowSize < blockBytes) {
      if (position === 0) throw notTar(this.#file.shown);
      throw invalidArchive(this.#file.shown, 'is cut off: it ends in the middle of a header');
    }
    return this.#window.subarray(0, blockBytes);
  }

  #unreadable(position: number, cause: unknown): OciError {
    if (position === 0) return notTar(this.#file.shown, cause);
    return invalidArchive(this.#file.shown, `is damaged: there is no header at byte ${position}`, undefined, cause);
  }

  #tooLong(position: number): OciError {
    const problem = `has a header of more than ${maxHeaderBlocks * blockBytes} bytes before byte ${position}`;
    return new OciError('TOO_LARGE', `${this.#file.shown} ${problem}`, {
      hint: 'no program for images writes such a header',
    });
  }
}

function entryOf(header: Header, block: Buffer, offset: number): EntryHeader {
  const { name, type, size, linkname, pax, mode, mtime } = header;
  return {
    name,
    type,
    flag: String.fromCharCode(block[156] ?? 0),
    size,
    linkName: linkname ?? '', // null in most headers
    mode: mode ?? 0o644,
    modified: mtime ?? new Date(0),
    pax: typeof pax === 'object' && pax !== null ? (pax as Record<string, string>) : {},
    offset,
  };
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function notTar(shown: string, cause?: unknown): OciError {
  return invalidArchive(
    shown,
    'is not a tar archive',
    'give a file that docker save, podman save or ocictl save wrote',
    cause,
  );
}
