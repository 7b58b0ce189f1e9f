import { decompressed } from '../../archive/envelope/compression.ts';
import { createHasher, digestAlgorithm } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { ByteReader } from '../tar/byte-reader.ts';
import { type ReadRange, unusable } from './locate.ts';
import type { Chunk, Toc } from './toc.ts';

const zeros = Buffer.alloc(64 * 1024);

/** Parts that are not farther from each other come in one range: another request would take longer than what lies between. */
const gapBytes = 64 * 1024;

/** A range that is being read. */
interface OpenRange {
  readonly bytes: ByteReader;
  /** In the layer. */
  readonly start: number;
  readonly end: number;
}

/**
 * Reads files by ranges of their layer. Files that follow each other come in one range, if they are read in their order. Each part is
 * checked against its digest.
 */
export class PartsReader implements AsyncDisposable {
  readonly #layer: Descriptor;
  readonly #compression: Toc['compression'];
  readonly #read: ReadRange;
  /** Where the range ends that begins with the part at an offset. */
  readonly #ends = new Map<number, number>();
  #open: OpenRange | undefined;

  /** @param wanted The parts of all files that are read. */
  constructor(layer: Descriptor, compression: Toc['compression'], read: ReadRange, wanted: Iterable<readonly Chunk[]>) {
    this.#layer = layer;
    this.#compression = compression;
    this.#read = read;
    const stored = [...wanted].flat().filter(({ digest }) => digest !== undefined);
    let next: { readonly offset: number; readonly end: number } | undefined;
    for (const { offset, end } of stored.sort((a, b) => b.offset - a.offset)) {
      next = { offset, end: next && next.offset - end <= gapBytes ? Math.max(end, next.end) : end };
      this.#ends.set(offset, next.end);
    }
  }

  /**
   * The bytes of a file.
   *
   * @throws OciError DIGEST_MISMATCH, ARCHIVE_INVALID while reading; what reading throws.
   */
  async *content(chunks: readonly Chunk[]): AsyncGenerator<Uint8Array, void, undefined> {
    for (const chunk of chunks) {
      if (chunk.digest !== undefined) {
        yield* checked(this.#layer, chunk, part(await this.#at(chunk), chunk), this.#compression);
        continue;
      }
      for (let left = chunk.size; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.bytes.close();
  }

  /** What is read next is the beginning of a part. */
  async #at({ offset, end }: Chunk): Promise<ByteReader> {
    const open = this.#open;
    const ahead = open ? offset - open.start - open.bytes.position : 0;
    if (open && ahead >= 0 && end <= open.end) {
      await open.bytes.skip(ahead);
      return open.bytes;
    }
    await this[Symbol.asyncDispose]();
    // Several small files may be in one part: it is fetched again for each, without what follows.
    const last = ahead < 0 ? end : (this.#ends.get(offset) ?? end);
    const bytes = new ByteReader(await this.#read({ start: offset, end: last }));
    this.#open = { bytes, start: offset, end: last };
    return bytes;
  }
}

async function* checked(
  layer: Descriptor,
  { digest, inner, size }: Chunk,
  packed: Packed,
  compression: Toc['compression'],
): AsyncGenerator<Uint8Array, void, undefined> {
  if (digest === undefined) return;
  const hasher = await createHasher(digestAlgorithm(digest));
  let [skip, left] = [inner, size];
  for await (const chunk of decompressed(packed, compression, { shown: `layer ${layer.digest}` })) {
    const piece = chunk.subarray(skip, skip + left);
    skip = Math.max(0, skip - chunk.length);
    if (piece.length === 0) continue;
    hasher.update(piece);
    left -= piece.length;
    yield piece;
    if (left === 0) break;
  }
  await packed.pass();
  if (left > 0) throw unusable(layer, 'has a part that is shorter than it says');
  const got = hasher.digest();
  if (got === digest) return;
  throw new OciError('DIGEST_MISMATCH', `a part of a file in layer ${layer.digest} is ${got}, not ${digest}`, {
    hint: 'the layer is not what its table of contents says: ocictl export reads it as a whole',
  });
}

/** The compressed bytes of a part. */
interface Packed extends AsyncIterable<Uint8Array> {
  /** Passes over what was not read. */
  pass(): Promise<void>;
}

function part(bytes: ByteReader, { offset, end }: Chunk): Packed {
  let left = end - offset;
  return {
    async *[Symbol.asyncIterator]() {
      while (left > 0) {
        const chunk = await bytes.some(Math.min(left, 256 * 1024));
        if (chunk.length === 0) return;
        left -= chunk.length;
        // A copy: a decompressor may keep it.
        yield Uint8Array.from(chunk);
      }
    },
    async pass() {
      left -= await bytes.skip(left);
    },
  };
}
