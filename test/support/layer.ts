/** Layers made in memory, the same bytes on every machine: tar archives of given files, and large random ones. */
import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { createHasher, type Digest, digestBytes } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { type BlobSource, bytesSource, streamContent } from '../../src/registry/content.ts';
import { zstdFrame } from './images/zstd.ts';

/** A blob, and a source of its bytes. */
export interface BuiltBlob {
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
}

/** A layer, with the digest of the tar inside, which the image's config names. */
export interface BuiltLayer extends BuiltBlob {
  readonly diffId: Digest;
}

/** The content of a path in a layer: text, bytes, a link, a directory, or text with a mode. */
export type FileContent =
  | string
  | Uint8Array
  | { readonly linkTo: string }
  | { readonly directory: true }
  | { readonly content: string | Uint8Array; readonly mode: number };

export interface LayerSpec {
  /** From paths without a leading `/` to their content. Parent directories are added. */
  readonly files: Readonly<Record<string, FileContent>>;
  /** Default gzip. */
  readonly compression?: keyof typeof compressions;
  /** Default: OCI's type for the compression. */
  readonly mediaType?: string;
}

const compressions = {
  gzip: { compress: gzip, mediaType: mediaTypes.ociLayerGzip },
  zstd: { compress: zstdFrame, mediaType: mediaTypes.ociLayerZstd },
  none: { compress: (tar: Uint8Array) => tar, mediaType: mediaTypes.ociLayer },
} as const;

/** The time of every entry, so that the same input gives the same digests. */
export const imageTime = new Date('2026-01-01T00:00:00Z');

/** A blob with the given bytes. */
export async function buildBlob(bytes: Uint8Array | string, mediaType: string): Promise<BuiltBlob> {
  const content = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  const descriptor = { mediaType, digest: await digestBytes(content), size: content.length };
  return { descriptor, source: bytesSource(descriptor, content) };
}

/** A layer with the given files. */
export async function buildLayer(spec: LayerSpec): Promise<BuiltLayer> {
  const tar = await tarOf(spec.files);
  const { compress, mediaType } = compressions[spec.compression ?? 'gzip'];
  return { ...(await buildBlob(compress(tar), spec.mediaType ?? mediaType)), diffId: await digestBytes(tar) };
}

/**
 * An uncompressed layer with one file whose bytes cannot be compressed. The bytes are generated while they are read,
 * from any offset on, so a layer of gigabytes takes no memory.
 *
 * @param bytes Size of the file; the layer is up to 2 KiB larger.
 */
export async function randomLayer(bytes: number, seed: string): Promise<BuiltLayer> {
  const header = await tarHeader(`data/${seed}.bin`, bytes);
  const tailBytes = ((512 - (bytes % 512)) % 512) + 1024;
  const size = header.length + bytes + tailBytes;
  const read = function* (offset: number): Generator<Uint8Array, void, undefined> {
    if (offset < header.length) yield header.subarray(offset);
    yield* randomBytes(bytes, seed, Math.max(offset - header.length, 0));
    const inTail = Math.max(offset - header.length - bytes, 0);
    if (inTail < tailBytes) yield new Uint8Array(tailBytes - inTail);
  };
  const hasher = await createHasher();
  for (const chunk of read(0)) hasher.update(chunk);
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: hasher.digest(), size };
  return {
    descriptor,
    diffId: descriptor.digest,
    source: { open: async (offset) => streamContent(descriptor, read(offset)) },
  };
}

/** Random-looking bytes, the same for the same seed: the key stream of AES in counter mode, which can start anywhere. */
export function* randomBytes(bytes: number, seed: string, offset = 0): Generator<Uint8Array, void, undefined> {
  if (offset >= bytes) return;
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / 16)), 8);
  const cipher = createCipheriv('aes-128-ctr', key, counter);
  if (offset % 16 > 0) cipher.update(new Uint8Array(offset % 16));
  const zeros = new Uint8Array(256 * 1024);
  for (let left = bytes - offset; left > 0; left -= zeros.length) {
    yield cipher.update(left < zeros.length ? zeros.subarray(0, left) : zeros);
  }
}

export async function tarOf(files: Readonly<Record<string, FileContent>>): Promise<Uint8Array> {
  const archive = pack();
  for (const directory of parentsOf(Object.keys(files))) {
    archive.entry({ name: `${directory}/`, type: 'directory', mode: 0o755, mtime: imageTime });
  }
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string' || content instanceof Uint8Array) {
      archive.entry({ name, mode: 0o644, mtime: imageTime }, Buffer.from(content));
    } else if ('linkTo' in content) {
      archive.entry({ name, type: 'symlink', linkname: content.linkTo, mode: 0o777, mtime: imageTime });
    } else if ('directory' in content) {
      archive.entry({ name: `${name}/`, type: 'directory', mode: 0o755, mtime: imageTime });
    } else {
      archive.entry({ name, mode: content.mode, mtime: imageTime }, Buffer.from(content.content));
    }
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function parentsOf(paths: readonly string[]): string[] {
  const parents = new Set<string>();
  for (const path of paths) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) parents.add(parts.slice(0, depth).join('/'));
  }
  return [...parents].filter((parent) => !paths.includes(parent)).sort();
}

async function tarHeader(name: string, size: number): Promise<Uint8Array> {
  const archive = pack();
  archive.on('error', () => {});
  archive.entry({ name, size, mode: 0o644, mtime: imageTime }, () => {});
  for await (const chunk of archive) return Uint8Array.from(chunk as Uint8Array);
  throw new Error('tar-stream wrote no header');
}

function gzip(bytes: Uint8Array): Uint8Array {
  const packed = gzipSync(bytes, { level: 9 });
  // The header names the operating system (RFC 1952 §2.3.1): 255, unknown, makes the digests the same everywhere.
  packed[9] = 255;
  return packed;
}
