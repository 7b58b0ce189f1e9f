import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { ByteReader } from './byte-reader.ts';
import { paddingOf, storedBytes, type TarEntry } from './entry.ts';
import { damagedTar } from './errors.ts';

/** An entry and its content, which can be read once, and until the next entry is asked for. */
export interface TarReading {
  readonly entry: TarEntry;
  /** Where its headers begin in the archive, in bytes. */
  readonly position: number;
  /** The bytes of the file; of a sparse one with its zeros, of which there may be very many. A chunk is valid until the next one. */
  content(): AsyncGenerator<Uint8Array, void, undefined>;
  /** The bytes that are stored: without the zeros of a sparse file. A writer takes them. */
  stored(): AsyncGenerator<Uint8Array, void, undefined>;
}

const zeros = Buffer.alloc(64 * 1024);
const chunkBytes = 1024 * 1024;

/** An entry in a stream. */
export class StreamedReading implements TarReading {
  readonly entry: TarEntry;
  readonly position: number;
  readonly #bytes: ByteReader;
  readonly #shown: string;
  /** Bytes that are left: of the content, and with what fills the last block. */
  #left: number;
  #rest: number;
  #isOver = false;

  constructor(bytes: ByteReader, entry: TarEntry, position: number, shown: string) {
    this.#bytes = bytes;
    this.entry = entry;
    this.position = position;
    this.#shown = shown;
    this.#left = storedBytes(entry);
    this.#rest = this.#left + paddingOf(this.#left);
  }

  /** Passes over what was not read. */
  async pass(): Promise<void> {
    this.#isOver = true;
    if (this.#rest === 0) return;
    const passed = await this.#bytes.skip(this.#rest);
    // Where the archive ends in zeros that fill a block, nothing is lost.
    if (passed < this.#left) throw this.#cutOff();
    this.#rest = 0;
  }

  async *stored(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#left > 0) yield await this.#some(this.#left);
  }

  async *content(): AsyncGenerator<Uint8Array, void, undefined> {
    const { sparse, size } = this.entry;
    if (!sparse) return yield* this.stored();
    let at = 0;
    for (const span of sparse) {
      yield* holes(span.offset - at);
      for (let left = span.size; left > 0; ) {
        const chunk = await this.#some(left);
        left -= chunk.length;
        yield chunk;
      }
      at = span.offset + span.size;
    }
    yield* holes(size - at);
  }

  async #some(count: number): Promise<Uint8Array> {
    if (this.#isOver) {
      throw new OciError('USAGE', `the content of ${quote(this.entry.path)} was read after the next entry`);
    }
    const chunk = await this.#bytes.some(Math.min(count, chunkBytes));
    if (chunk.length === 0) throw this.#cutOff();
    this.#left -= chunk.length;
    this.#rest -= chunk.length;
    return chunk;
  }

  #cutOff(): OciError {
    return damagedTar(this.#shown, `is cut off in ${quote(this.entry.path)}`);
  }
}

function* holes(size: number): Generator<Uint8Array, void, undefined> {
  for (let left = size; left > 0; left -= zeros.length) yield left < zeros.length ? zeros.subarray(0, left) : zeros;
}
