/**
 * gzip in several threads: blocks are compressed apart, each with the end of the one before as its dictionary, and are one stream
 * again. The number of threads does not change the bytes. What cannot be compressed is stored, which saves most of the time.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3
 */
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';
import { looksRandom } from './looks-random.ts';

const deflate = promisify(deflateRaw) as (
  bytes: Uint8Array,
  options: { level: number; dictionary?: Uint8Array | undefined; finishFlush: number; chunkSize: number },
) => Promise<Uint8Array>;

const blockBytes = 1024 * 1024;
const dictionaryBytes = 32 * 1024;
const chunkSize = 256 * 1024;
/** What is compressed or stored as a whole. */
const segmentBytes = 16 * 1024;
/** To begin again after less takes longer than to compress it. */
const leastStored = 2 * segmentBytes;
const mostThreads = 4;
/** A fifth less work than 6, for 2 % more bytes. */
const defaultLevel = 4;

/** Without time and name; the system is unknown. */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** A last block without content. */
const lastBlock = Uint8Array.of(0x03, 0x00);
/** Of a stored block: its length has 16 bits. RFC 1951, 3.2.4 */
const mostStored = 65_535;

interface ParallelGzipOptions {
  readonly level?: number | undefined;
  /** The checksum of the whole source. It is asked for once the source has ended. */
  readonly crc32: () => Promise<number>;
}

/** A block that is being compressed. */
interface Running {
  readonly buffer: Buffer;
  /** In their order. What is stored is a part of the buffer. */
  readonly runs: readonly { readonly bytes: Uint8Array; readonly compressing?: Promise<Uint8Array> | undefined }[];
}

/** @returns A stream with one member. Its chunks are valid until the next one is requested. @throws what the source throws. */
export async function* parallelGzip(
  source: AsyncIterable<Uint8Array>,
  { level = defaultLevel, crc32 }: ParallelGzipOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const atOnce = Math.min(availableParallelism(), mostThreads) + 1;
  const running: Running[] = [];
  // Each block is used again: new ones would be garbage faster than it is collected.
  const free: Buffer[] = [];
  const next = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    const { buffer, runs } = running.shift() as Running;
    try {
      for (const { bytes, compressing } of runs) {
        if (compressing) yield await compressing;
        else yield* stored(bytes);
      }
    } finally {
      await Promise.allSettled(runs.map(({ compressing }) => compressing));
    }
    free.push(buffer);
  };
  let size = 0;
  let before: Uint8Array = new Uint8Array(0);
  yield header;
  try {
    for await (const { buffer, block } of blocksOf(source, free)) {
      size += block.length;
      running.push({ buffer, runs: compressRuns(block, before, level) });
      before = Uint8Array.from(block.subarray(-dictionaryBytes));
      if (running.length >= atOnce) yield* next();
    }
    while (running.length > 0) yield* next();
  } finally {
    await Promise.allSettled(running.flatMap(({ runs }) => runs.map(({ compressing }) => compressing)));
  }
  yield lastBlock;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(await crc32(), 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}

/** @param before The end of the block before. */
function compressRuns(block: Uint8Array, before: Uint8Array, level: number): Running['runs'] {
  return runsOf(block).map(({ start, end, isStored }) => {
    const bytes = block.subarray(start, end);
    if (isStored) return { bytes };
    const dictionary = start === 0 ? before : block.subarray(Math.max(0, start - dictionaryBytes), start);
    const compressing = deflate(bytes, {
      level,
      ...(dictionary.length > 0 && { dictionary }),
      finishFlush: constants.Z_SYNC_FLUSH,
      chunkSize: Math.min(chunkSize, bytes.length + 1024),
    });
    compressing.catch(() => {}); // reported in its turn
    return { bytes, compressing };
  });
}

/** What is compressed as one piece, or stored. */
interface Run {
  readonly start: number;
  readonly isStored: boolean;
  end: number;
}

function runsOf(block: Uint8Array): readonly Run[] {
  const segments: Run[] = [];
  for (let start = 0; start < block.length; start += segmentBytes) {
    const end = Math.min(start + segmentBytes, block.length);
    segments.push({ start, end, isStored: looksRandom(block.subarray(start, end)) });
  }
  return joined(
    joined(segments).map((run) => ({ ...run, isStored: run.isStored && run.end - run.start >= leastStored })),
  );
}

/** Neighbours of one kind as one. */
function joined(runs: readonly Run[]): readonly Run[] {
  const result: Run[] = [];
  for (const { start, end, isStored } of runs) {
    const last = result.at(-1);
    if (last?.isStored === isStored) last.end = end;
    else result.push({ start, end, isStored });
  }
  return result;
}

/** Blocks without compression. They begin at a byte, as all before them have ended with one. */
function* stored(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += mostStored) {
    const part = bytes.subarray(at, at + mostStored);
    const { length } = part;
    yield Uint8Array.of(0, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff);
    yield part;
  }
}

/** A block in the buffer that it was collected in. */
interface Block {
  readonly buffer: Buffer;
  readonly block: Uint8Array;
}

/** Chunks as blocks of one size; the last may be shorter. @param free Buffers that may be used again. */
async function* blocksOf(source: AsyncIterable<Uint8Array>, free: Buffer[]): AsyncGenerator<Block, void, undefined> {
  let buffer: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  let filled = 0;
  for await (const chunk of source) {
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + blockBytes - filled);
      buffer.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled < blockBytes) continue;
      yield { buffer, block: buffer };
      buffer = free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield { buffer, block: buffer.subarray(0, filled) };
}
