import { decompressed } from '../../archive/envelope/compression.ts';
import { createHasher, digestAlgorithm } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { ByteReader } from '../tar/byte-reader.ts';
import { type ReadRange, unusable } from './locate.ts';
import type { Chunk, Toc } from './toc.ts';

const zeros = Buffer.alloc(64 * 1024);

/** A range that is being read. */
interface OpenRange {
  readonly bytes: ByteReader;
  /** The byte of the layer that comes next. */
  at: number;
}

/**
 * Reads a file by ranges of its layer: one, where its parts follow each other. Each part is checked against its digest.
 *
 * @throws OciError DIGEST_MISMATCH, ARCHIVE_INVALID while reading; what reading throws.
 */
export async function* readChunks(
  layer: Descriptor,
  chunks: readonly Chunk[],
  compression: Toc['compression'],
  read: ReadRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  let open: OpenRange | undefined;
  try {
    for (const [i, chunk] of chunks.entries()) {
      if (chunk.digest === undefined) {
        for (let left = chunk.size; left > 0; left -= zeros.length)
          yield zeros.subarray(0, Math.min(left, zeros.length));
        continue;
      }
      if (open?.at !== chunk.offset) {
        await open?.bytes.close();
        const range = { start: chunk.offset, end: endOf(chunks, i) };
        open = { bytes: new ByteReader(await read(range)), at: chunk.offset };
      }
      yield* checked(layer, chunk, part(open, chunk), compression);
      open.at = chunk.end;
    }
  } finally {
    await open?.bytes.close();
  }
}

/** Where a range ends that begins with a part: with the last one that follows without a gap. */
function endOf(chunks: readonly Chunk[], from: number): number {
  let end = chunks[from]?.end ?? 0;
  for (const { digest, offset, end: next } of chunks.slice(from + 1)) {
    if (digest === undefined) continue;
    if (offset !== end) break;
    end = next;
  }
  return end;
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

function part({ bytes }: OpenRange, { offset, end }: Chunk): Packed {
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
