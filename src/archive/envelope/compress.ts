/** Compression of layers: the same bytes for the same content, with one version of zlib or zstd. */
import type { Transform } from 'node:stream';
import { createGzip } from 'node:zlib';
import { OciError } from '../../model/errors.ts';
import { through } from './compression.ts';

/** How layers are compressed. */
export interface LayerCompression {
  readonly kind: 'gzip' | 'zstd' | 'none';
  /** Default: 6 for gzip, 3 for zstd. */
  readonly level?: number | undefined;
}

interface ZstdOptions {
  readonly chunkSize: number;
  /** By the numbers of zstd's own interface. */
  readonly params?: Readonly<Record<number, number>>;
}

const chunkSize = 256 * 1024;

/** `ZSTD_c_compressionLevel` of zstd.h. */
const zstdLevel = 100;
/** `ZSTD_CLEVEL_DEFAULT`. */
const defaultLevel = 3;

/** @throws OciError UNSUPPORTED for zstd where Node has none; what the source throws. */
export async function* compressed(
  source: AsyncIterable<Uint8Array>,
  { kind, level }: LayerCompression,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (kind === 'none') return yield* source;
  if (kind === 'gzip') {
    const gzip = createGzip({ chunkSize, ...(level !== undefined && { level }) });
    return yield* withoutSystem(through(source, gzip, failed));
  }
  const create = await zstdCompressor('compress with gzip');
  yield* through(source, create(level), failed);
}

/**
 * @param instead What else can be done, for the hint.
 * @returns What makes a stream that compresses at a level, 3 by default.
 * @throws OciError UNSUPPORTED where Node has none, and no package has it.
 */
export async function zstdCompressor(instead: string): Promise<(level?: number) => Transform> {
  // Since Node 22.15. The types are those of Node 20, and an import by name would fail there.
  const zlib: object = await import('node:zlib');
  const create = Reflect.get(zlib, 'createZstdCompress') as ((options: ZstdOptions) => Transform) | undefined;
  if (create) return (level = defaultLevel) => create({ chunkSize, params: { [zstdLevel]: level } });
  const { zstdByPackage, zstdPackage } = await import('./zstd-package.ts');
  const byPackage = await zstdByPackage();
  if (byPackage) return (level = defaultLevel) => byPackage(level);
  throw new OciError('UNSUPPORTED', `Node ${process.versions.node} cannot compress with zstd`, {
    hint: `use Node 22.15 or newer, npm install ${zstdPackage} beside ocictl, or ${instead}`,
  });
}

/** Where the header of gzip names the system that made it, and what it says if that is unknown. RFC 1952, 2.3.1 */
const systemOffset = 9;
const unknownSystem = 255;

async function* withoutSystem(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  for await (const chunk of source) {
    const at = systemOffset - position;
    if (at >= 0 && at < chunk.length) chunk[at] = unknownSystem;
    position += chunk.length;
    yield chunk;
  }
}

function failed(cause: unknown): OciError {
  return new OciError('INTERNAL', 'cannot compress a layer', { cause });
}
