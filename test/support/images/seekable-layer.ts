/**
 * Layers that can be read in parts, made as their specifications say. eStargz: a gzip member for each header and each part of a file,
 * then the table in a tar archive, then the footer. zstd:chunked: the same with frames, and the table in a skippable frame.
 *
 * @see https://github.com/containerd/stargz-snapshotter/blob/v0.16.3/docs/estargz.md
 */
import { gzipSync } from 'node:zlib';
import { encodeHeader } from '../../../src/image/tar/encode.ts';
import { createHasher, digestBytes } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { buildBlob } from '../layer.ts';
import type { LayerBytes } from './counted-layer.ts';
import { tarBytes } from './tar-layer.ts';
import { zstdFrame } from './zstd.ts';

export interface SeekableOptions {
  readonly format: 'estargz' | 'zstd:chunked';
  /** Bytes of a part. Default: a file is one. */
  readonly partBytes?: number;
  /** Changes the table before its digest is taken. */
  readonly forge?: (rows: Record<string, unknown>[]) => void;
  /** The digest in the annotation. Default: that of the table. */
  readonly claimed?: string;
}

/** @param files Names and contents; a name that ends with a slash is a directory. */
export async function seekableLayer(
  files: Readonly<Record<string, Uint8Array | string>>,
  { format, partBytes = Number.MAX_SAFE_INTEGER, forge, claimed }: SeekableOptions,
): Promise<LayerBytes> {
  const isGzip = format === 'estargz';
  const pack = (bytes: Uint8Array): Uint8Array => (isGzip ? gzipSync(bytes, { level: 1 }) : zstdFrame(bytes));
  const [packed, rows]: [Uint8Array[], Record<string, unknown>[]] = [[], []];
  const plain = await createHasher();
  let offset = 0;
  const add = (bytes: Uint8Array): void => {
    const member = pack(bytes);
    packed.push(member);
    plain.update(bytes);
    offset += member.length;
  };
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const isDirectory = name.endsWith('/');
    const mtime = { seconds: 1_700_000_000, nanoseconds: 0 };
    add(encodeHeader({ path: name, type: isDirectory ? 'directory' : 'file', size: bytes.length, mtime }));
    const row = { name, type: isDirectory ? 'dir' : 'reg', mode: 0o644, modtime: '2023-11-14T22:13:20Z' };
    if (isDirectory || bytes.length === 0) rows.push(row);
    for (let at = 0; at < bytes.length; at += partBytes) {
      const part = bytes.subarray(at, at + partBytes);
      const chunk = { offset, chunkOffset: at, chunkSize: part.length, chunkDigest: await digestBytes(part) };
      rows.push(at === 0 ? { ...row, size: bytes.length, ...chunk } : { name, type: 'chunk', ...chunk });
      add(part);
    }
    const padding = (512 - (bytes.length % 512)) % 512;
    if (padding > 0) add(Buffer.alloc(padding));
  }
  forge?.(rows);
  const table = Buffer.from(JSON.stringify({ version: 1, entries: rows }));
  const tocAt = offset;
  const annotations: Record<string, string> = {};
  if (isGzip) {
    const tail = await tarBytes([[{ path: 'stargz.index.json', type: 'file' }, table]]);
    add(tail);
    packed.push(footer(tocAt));
    annotations['containerd.io/snapshot/stargz/toc.digest'] = claimed ?? (await digestBytes(table));
  } else {
    add(Buffer.alloc(1024));
    const frame = zstdFrame(table);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0x184d2a50);
    head.writeUInt32LE(frame.length, 4);
    packed.push(head, frame);
    const prefix = 'io.github.containers.zstd-chunked.';
    annotations[`${prefix}manifest-checksum`] = claimed ?? (await digestBytes(frame));
    annotations[`${prefix}manifest-position`] = `${offset + 8}:${frame.length}:${table.length}:1`;
  }
  const bytes = Buffer.concat(packed);
  const layer = await buildBlob(bytes, isGzip ? mediaTypes.ociLayerGzip : mediaTypes.ociLayerZstd);
  return {
    ...layer,
    descriptor: { ...layer.descriptor, annotations },
    diffId: plain.digest(),
    bytes,
  };
}

function footer(tocAt: number): Buffer {
  const extra = Buffer.concat([
    Buffer.from('SG'),
    Buffer.from([22, 0]),
    Buffer.from(`${tocAt.toString(16).padStart(16, '0')}STARGZ`),
  ]);
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, extra.length, 0]);
  // An empty block that is the last, and the sums of no bytes.
  return Buffer.concat([head, extra, Buffer.from([1, 0, 0, 0xff, 0xff]), Buffer.alloc(8)]);
}
