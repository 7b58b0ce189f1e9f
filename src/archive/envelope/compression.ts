/** The compression around an archive, or of a layer in it. */
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { isOciError, OciError } from '../../model/errors.ts';
import { invalidArchive } from './errors.ts';
import { ZstdFrames } from './zstd-frames.ts';

type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** How many bytes {@link compressionOf} looks at. */
export const magicBytes = 6;

const magics: readonly (readonly [Exclude<Compression, 'none'>, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

/** The compression that content has by its first bytes. */
export function compressionOf(first: Uint8Array): Compression {
  return magics.find(([, magic]) => magic.every((byte, i) => first[i] === byte))?.[0] ?? 'none';
}

const chunkBytes = 256 * 1024;

/** A block of zstd takes four bytes at least and makes 128 KiB at most: this is how much memory one step may take. */
const zstdStepBytes = 1024;

/** Content that unpacks to more than this, and to 200 times its size, is a bomb: layers seldom shrink to a tenth. */
const defaultBombBytes = 4 * 1024 ** 3;
const bombRatio = 200;

interface DecompressOptions {
  /** The name of the stream in messages. */
  readonly shown: string;
  /** How many unpacked bytes are never a bomb. Default 4 GiB. */
  readonly bombBytes?: number | undefined;
  /** What can be done about a bomb. Default: how an archive is unpacked by hand. */
  readonly hint?: string | undefined;
}

/**
 * The content of a gzip or zstd stream.
 *
 * @throws OciError ARCHIVE_INVALID if it is damaged or ends early; TOO_LARGE if it unpacks to a disproportionate size, or
 * needs too much memory for that; what the source throws.
 */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
  { shown, bombBytes = defaultBombBytes, hint }: DecompressOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [packed, unpacked] = [0, 0];
  const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      packed += chunk.length;
      yield chunk;
    }
  };
  for await (const chunk of unpack(counted(), compression, shown)) {
    unpacked += chunk.length;
    if (unpacked > bombBytes && unpacked > packed * bombRatio) throw bomb(shown, compression, hint);
    yield chunk;
  }
}

async function* unpack(
  source: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
  shown: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const damaged = (cause: unknown): OciError =>
    invalidArchive(shown, `is damaged: its ${compression} compression is wrong or ends early`, undefined, cause);
  if (compression === 'gzip') return yield* through(source, createGunzip({ chunkSize: chunkBytes }), damaged);
  const createZstd = await nodeZstd();
  if (createZstd) return yield* through(source, createZstd({ chunkSize: chunkBytes }), damaged);
  yield* unzstd(source, shown, damaged);
}

// Since Node 22.15. The types are those of Node 20, and an import by name would fail there.
async function nodeZstd(): Promise<typeof createGunzip | undefined> {
  const zlib: object = await import('node:zlib');
  return Reflect.get(zlib, 'createZstdDecompress');
}

/** Sends a stream through one of Node's compressors or decompressors. @param damaged Explains errors of its own. */
export async function* through(
  source: AsyncIterable<Uint8Array>,
  unpacker: Transform,
  damaged: (cause: unknown) => OciError,
): AsyncGenerator<Uint8Array, void, undefined> {
  const running = pipeline(Readable.from(source, { objectMode: false }), unpacker);
  running.catch(() => {}); // reported below
  try {
    for await (const chunk of unpacker) yield chunk as Uint8Array;
    await running;
  } catch (error) {
    // The source's own error is the reason, even if the unpacker fails because of it.
    const reason = await running.then(
      () => error,
      (cause: unknown) => cause,
    );
    throw isOfUnpacker(reason) ? damaged(reason) : reason;
  } finally {
    unpacker.destroy();
  }
}

async function* unzstd(
  source: AsyncIterable<Uint8Array>,
  shown: string,
  damaged: (cause: unknown) => OciError,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { Decompress } = await import('fzstd');
  const made: Uint8Array[] = [];
  const frames = new ZstdFrames(shown);
  const unpacker = new Decompress((chunk) => {
    if (chunk.length > 0) made.push(chunk);
  });
  const push = (piece: Uint8Array, isLast: boolean): void => {
    try {
      frames.follow(piece);
      unpacker.push(piece, isLast);
    } catch (error) {
      throw isOciError(error) ? error : damaged(error);
    }
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += zstdStepBytes) {
      // A copy: the unpacker keeps what it cannot unpack yet, and the source may reuse its memory.
      push(Uint8Array.from(chunk.subarray(at, at + zstdStepBytes)), false);
      yield* made.splice(0);
    }
  }
  push(new Uint8Array(0), true);
  yield* made.splice(0);
}

function isOfUnpacker(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_)/.test(String(error.code));
}

function bomb(shown: string, compression: string, hint: string | undefined): OciError {
  const problem = `unpacks to more than ${bombRatio} times its size: it may be made to fill the disk`;
  return new OciError('TOO_LARGE', `${shown} ${problem}`, {
    hint: hint ?? `if you trust it, unpack it yourself: ${compression} -dc FILE | ocictl load`,
  });
}
