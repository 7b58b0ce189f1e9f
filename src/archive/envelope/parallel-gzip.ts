/**
 * gzip in several threads: blocks are compressed apart, each with the end of the one before as its dictionary, and are one stream
 * again. The number of threads does not change the bytes. What cannot be compressed is stored, which saves most of the time.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3
 */
import { availableParallelism } from 'node:os';
import { constants, createDeflateRaw } from 'node:zlib';
import { looksRandom } from './looks-random.ts';

const blockBytes = 1024 * 1024;
const dictionaryBytes = 32 * 1024;
const chunkSize = 128 * 1024;
/** What is looked at first, and where it does not look random, its parts: each is compressed or stored as a whole. */
const segmentBytes = 16 * 1024;
const partBytes = segmentBytes / 4;
/** To begin again after less takes longer than to compress it. */
const leastStored = 2 * partBytes;
const mostThreads = 4;
/** A fifth less work than 6, for 2 % more bytes. */
const defaultLevel = 4;

/** Without time and name; the system is unknown. */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** A last block without content. */
const lastBlock = Uint8Array.of(0x03, 0x00);
/** Of a stored block: its length has 16 bits. RFC 1951, 3.2.4 */
const mostStored = 65_535;

const nothing = new Uint8Array(0);

interface ParallelGzipOptions {
  readonly level?: number | undefined;
  /** The checksum of the whole source. It is asked for once the source has ended. */
  readonly crc32: () => Promise<number>;
}

/** A block that is being compressed. */
interface Running {
  readonly buffer: Buffer;
  readonly packing: Promise<readonly Packed[]>;
}

/** What became of a run: what is stored is a part of the block's buffer. */
type Packed = { readonly stored: Uint8Array } | { readonly compressed: readonly Uint8Array[] };

/** @returns A stream with one member. Its chunks are valid until the next one is requested. @throws what the source throws. */
export async function* parallelGzip(
  source: AsyncIterable<Uint8Array>,
  { level = defaultLevel, crc32 }: ParallelGzipOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  // One that is sent, and one that waits for a thread.
  const atOnce = Math.min(availableParallelism(), mostThreads) + 2;
  const running: Running[] = [];
  // Each block is used again: new ones would be garbage faster than it is collected.
  const free: Buffer[] = [];
  const next = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    const { buffer, packing } = running.shift() as Running;
    for (const run of await packing) yield* 'stored' in run ? storedBlocks(run.stored) : run.compressed;
    free.push(buffer);
  };
  let size = 0;
  let before = nothing;
  yield header;
  try {
    for await (const { buffer, block } of blocksOf(source, free)) {
      size += block.length;
      const packing = pack(block, before, level);
      packing.catch(() => {}); // reported in its turn
      running.push({ buffer, packing });
      before = Uint8Array.from(block.subarray(-dictionaryBytes));
      if (running.length >= atOnce) yield* next();
    }
    while (running.length > 0) yield* next();
  } finally {
    await Promise.allSettled(running.map(({ packing }) => packing));
  }
  yield lastBlock;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(await crc32(), 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}

/**
 * Run after run, as each that is under way has memory of its own.
 *
 * @param before The end of the block before. Later runs refer to nothing before them, which was stored, and looks random.
 */
async function pack(block: Uint8Array, before: Uint8Array, level: number): Promise<readonly Packed[]> {
  const packed: Packed[] = [];
  for (const { start, end, isStored } of runsOf(block)) {
    const bytes = block.subarray(start, end);
    if (isStored) packed.push({ stored: bytes });
    else packed.push({ compressed: await compress(bytes, start === 0 ? before : nothing, level) });
  }
  return packed;
}

/** @returns Its chunks as they were made: one buffer of them would be garbage twice. */
function compress(bytes: Uint8Array, dictionary: Uint8Array, level: number): Promise<readonly Uint8Array[]> {
  const stream = createDeflateRaw({
    level,
    ...(dictionary.length > 0 && { dictionary }),
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: Math.min(chunkSize, bytes.length + 1024),
  });
  const chunks: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    stream.on('error', reject).on('end', () => resolve(chunks));
    stream.end(bytes);
  });
}

/** What is compressed as one piece, or stored. */
interface Run {
  readonly start: number;
  readonly isStored: boolean;
  end: number;
}

function runsOf(block: Uint8Array): readonly Run[] {
  const looked = [...segmentsOf(block, 0, block.length, segmentBytes)].flatMap((segment) =>
    segment.isStored ? [segment] : [...segmentsOf(block, segment.start, segment.end, partBytes)],
  );
  return joined(
    joined(looked).map((run) => ({ ...run, isStored: run.isStored && run.end - run.start >= leastStored })),
  );
}

function* segmentsOf(block: Uint8Array, from: number, to: number, bytes: number): Generator<Run> {
  for (let start = from; start < to; start += bytes) {
    const end = Math.min(start + bytes, to);
    yield { start, end, isStored: looksRandom(block.subarray(start, end)) };
  }
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
function* storedBlocks(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
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
