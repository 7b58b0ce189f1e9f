/**
 * Tables of contents of layers that are made to be read in parts: eStargz and zstd:chunked. Both are ordinary layers as well.
 *
 * @see https://github.com/containerd/stargz-snapshotter/blob/v0.16.3/docs/estargz.md
 * @see https://github.com/containers/storage/blob/v1.55.0/pkg/chunked/internal/compression.go
 */
import { gunzipSync } from 'node:zlib';
import { decompressed } from '../../archive/envelope/compression.ts';
import { digestBytes, parseDigest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type Content, readContent } from '../../registry/content.ts';
import type { ByteRange } from '../../registry/registry.ts';
import { readTar } from '../tar/read.ts';

/** Reads a part of a layer. */
export type ReadRange = (range: ByteRange) => Promise<Content>;

/** The text of a table, whose digest is the one that the manifest names. */
export interface TocText {
  readonly text: string;
  readonly compression: 'gzip' | 'zstd';
  /** Where it begins in the layer, in bytes: all content is before it. */
  readonly offset: number;
}

const stargzKey = 'containerd.io/snapshot/stargz/toc.digest';
const chunkedKeys = ['io.github.containers.zstd-chunked.', 'io.containers.zstd-chunked.'];

const footerBytes = 51;
/** What is read first: the table of a layer of some hundred files is in it. */
const tailBytes = 128 * 1024;
const maxPackedBytes = 64 * 1024 * 1024;
const maxTextBytes = 128 * 1024 * 1024;
/** Smaller layers are read as a whole. */
const leastLayerBytes = 1024 * 1024;

/** Whether a layer says that it has a table which is worth reading. */
export function hasToc({ annotations = {}, size }: Descriptor): boolean {
  if (size < leastLayerBytes) return false;
  return annotations[stargzKey] !== undefined || chunkedPosition(annotations) !== undefined;
}

/**
 * Reads the table of a layer, and checks it against the annotations of the manifest.
 *
 * @throws OciError ARCHIVE_INVALID, DIGEST_MISMATCH, TOO_LARGE for a table that cannot be used; what reading throws.
 */
export async function readTocText(layer: Descriptor, read: ReadRange): Promise<TocText> {
  const chunked = chunkedPosition(layer.annotations ?? {});
  return chunked ? await readChunked(layer, chunked, read) : await readStargz(layer, read);
}

interface ChunkedPosition {
  readonly position: string;
  readonly checksum: string;
}

function chunkedPosition(annotations: Readonly<Record<string, string>>): ChunkedPosition | undefined {
  for (const prefix of chunkedKeys) {
    const [position, checksum] = [annotations[`${prefix}manifest-position`], annotations[`${prefix}manifest-checksum`]];
    if (position !== undefined && checksum !== undefined) return { position, checksum };
  }
  return undefined;
}

async function readChunked(
  layer: Descriptor,
  { position, checksum }: ChunkedPosition,
  read: ReadRange,
): Promise<TocText> {
  const [, offset = 0, packed = 0, unpacked = 0] = (/^(\d{1,15}):(\d{1,15}):(\d{1,15}):1$/.exec(position) ?? []).map(
    Number,
  );
  if (packed === 0 || offset + packed > layer.size) throw unusable(layer, 'is not where its annotation says');
  if (packed > maxPackedBytes || unpacked > maxTextBytes) throw tooLarge(layer);
  const bytes = await readContent(await read({ start: offset, end: offset + packed }), packed);
  await check(layer, bytes, checksum);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of decompressed(source(), 'zstd', {
    shown: `the table of contents of layer ${layer.digest}`,
  })) {
    size += chunk.length;
    if (size > unpacked) throw unusable(layer, 'is longer than its annotation says');
    chunks.push(Uint8Array.from(chunk));
  }
  return { text: Buffer.concat(chunks).toString(), compression: 'zstd', offset };
}

async function readStargz(layer: Descriptor, read: ReadRange): Promise<TocText> {
  const tailAt = Math.max(0, layer.size - tailBytes);
  const tail = await readContent(await read({ start: tailAt }), tailBytes);
  const offset = footerOffset(Buffer.from(tail.subarray(-footerBytes)));
  const end = layer.size - footerBytes;
  if (offset === undefined || offset >= end) throw unusable(layer, 'has no place: the footer is wrong');
  if (end - offset > maxPackedBytes) throw tooLarge(layer);
  const packed =
    offset >= tailAt
      ? tail.subarray(offset - tailAt, tail.length - footerBytes)
      : await readContent(await read({ start: offset, end }), end - offset);
  const text = await tocInTar(layer, packed);
  await check(layer, text, layer.annotations?.[stargzKey] ?? '');
  return { text: Buffer.from(text).toString(), compression: 'gzip', offset };
}

/** Where the table begins, as an empty gzip member says in its extra field: `SG`, then 16 hexadecimal digits and STARGZ. */
function footerOffset(footer: Buffer): number | undefined {
  if (footer.length !== footerBytes || footer.readUInt32BE(0) !== 0x1f8b0804) return undefined;
  if (footer.toString('latin1', 12, 14) !== 'SG' || footer.readUInt16LE(14) !== 22) return undefined;
  const [, digits] = /^([0-9a-f]{16})STARGZ$/.exec(footer.toString('latin1', 16, 38)) ?? [];
  const offset = digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

async function tocInTar(layer: Descriptor, packed: Uint8Array): Promise<Uint8Array> {
  const tar = unpackedTar(layer, packed);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield tar;
  };
  for await (const { entry, content } of readings(source(), layer)) {
    if (entry.path !== 'stargz.index.json') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content()) chunks.push(Uint8Array.from(chunk));
    return Buffer.concat(chunks);
  }
  throw unusable(layer, 'is not in its place');
}

async function* readings(source: AsyncIterable<Uint8Array>, { digest }: Descriptor) {
  for await (const reading of readTar(source, { shown: `the table of contents of layer ${digest}` })) {
    yield { entry: reading.entry, content: () => reading.content() };
  }
}

function unpackedTar(layer: Descriptor, packed: Uint8Array): Uint8Array {
  try {
    return gunzipSync(packed, { maxOutputLength: maxTextBytes });
  } catch (cause) {
    throw unusable(layer, 'is damaged, or too large', cause);
  }
}

async function check(layer: Descriptor, bytes: Uint8Array, expected: string): Promise<void> {
  const digest = await digestBytes(bytes);
  if (digest === parseDigest(expected)) return;
  throw new OciError('DIGEST_MISMATCH', `the table of contents of layer ${layer.digest} is ${digest}, not ${expected}`);
}

/** The error for a table that is wrong. @param problem `is damaged` */
export function unusable({ digest }: Descriptor, problem: string, cause?: unknown): OciError {
  return new OciError('ARCHIVE_INVALID', `the table of contents of layer ${digest} ${problem}`, { cause });
}

function tooLarge({ digest }: Descriptor): OciError {
  return new OciError('TOO_LARGE', `the table of contents of layer ${digest} is too large`);
}
