import { OciError } from '../../model/errors.ts';

/** The largest window that `zstd -d` accepts without --long, and Node's own decompressor. */
const maxWindowBytes = 128 * 1024 * 1024;

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

type Step = (field: Buffer) => void;

/**
 * Follows the frames of a Zstandard stream by their headers, and refuses windows that would take too much memory: the
 * decompressor allocates what a frame asks for. What is malformed is left to the decompressor.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1
 */
export class ZstdFrames {
  readonly #shown: string;
  readonly #field: Buffer = Buffer.alloc(16);
  #filled = 0;
  #wanted = 4;
  #skip = 0;
  #step: Step | undefined = (field) => this.#magic(field);

  /** @param shown The name of the stream in messages. */
  constructor(shown: string) {
    this.#shown = shown;
  }

  /** @throws OciError TOO_LARGE */
  follow(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && this.#step; ) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const part = chunk.subarray(at, at + this.#wanted - this.#filled);
      this.#field.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#wanted) return;
      this.#filled = 0;
      this.#step(this.#field.subarray(0, this.#wanted));
    }
  }

  #await(bytes: number, step: Step): void {
    this.#wanted = bytes;
    this.#step = step;
  }

  #frame(skip: number): void {
    this.#skip = skip;
    this.#await(4, (field) => this.#magic(field));
  }

  #magic(field: Buffer): void {
    const magic = field.readUInt32LE();
    if (magic === frameMagic) this.#await(1, (next) => this.#descriptor(next[0] ?? 0));
    // The last four bits are free.
    else if (magic >>> 4 === skippableMagic >>> 4) this.#await(4, (next) => this.#frame(next.readUInt32LE()));
    else this.#step = undefined;
  }

  #descriptor(descriptor: number): void {
    const isSingle = (descriptor & 0x20) !== 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const windowBytes = isSingle ? 0 : 1;
    const checksumBytes = (descriptor & 4) !== 0 ? 4 : 0;
    // There is always one of them: a single segment has a size.
    this.#await(windowBytes + dictionaryBytes + sizeBytes, (field) => {
      const size = field.subarray(windowBytes + dictionaryBytes);
      const window = isSingle ? sizeOf(size) : windowOf(field[0] ?? 0);
      if (window > maxWindowBytes) throw tooLarge(this.#shown, window);
      this.#block(checksumBytes);
    });
  }

  #block(checksumBytes: number): void {
    this.#await(3, (field) => {
      const header = field.readUIntLE(0, 3);
      const isRepeated = ((header >> 1) & 3) === 1;
      const bytes = isRepeated ? 1 : header >> 3;
      if (header & 1) return this.#frame(bytes + checksumBytes);
      this.#skip = bytes;
      this.#block(checksumBytes);
    });
  }
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

// A size of two bytes is 256 more than it says, which makes no difference here.
function sizeOf(field: Buffer): number {
  return field.length === 8 ? Number(field.readBigUInt64LE()) : field.readUIntLE(0, field.length);
}

function tooLarge(shown: string, bytes: number): OciError {
  const problem = `needs ${bytes} bytes of memory to be unpacked, more than ${maxWindowBytes}`;
  return new OciError('TOO_LARGE', `${shown} ${problem}`, {
    hint: 'unpack it yourself: zstd -dc --long=31 FILE | ocictl load',
  });
}
