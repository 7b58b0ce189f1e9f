import { gzipSync } from 'node:zlib';
import { type NewEntry, writeTar } from '../../../src/image/tar/write.ts';
import { digestBytes } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { type BuiltLayer, buildBlob } from '../layer.ts';

/** An entry with its content; a file has the size of that. */
export type LayerPart = readonly [entry: NewEntry, content?: string | Uint8Array];

/** A layer with any entries, in this order: whiteouts, links, devices, and what no file system has. */
export async function tarLayer(
  parts: readonly LayerPart[],
  compression: 'gzip' | 'none' = 'gzip',
): Promise<BuiltLayer> {
  const tar = await tarBytes(parts);
  const [bytes, mediaType] =
    compression === 'gzip' ? [gzipSync(tar), mediaTypes.ociLayerGzip] : [tar, mediaTypes.ociLayer];
  return { ...(await buildBlob(bytes, mediaType)), diffId: await digestBytes(tar) };
}

/** The bytes of such a layer. */
export async function tarBytes(parts: readonly LayerPart[]): Promise<Buffer> {
  const entries = parts.map(([entry, content = '']) => {
    const bytes = Buffer.from(content);
    return {
      entry: entry.type === 'file' && !entry.sparse ? { ...entry, size: bytes.length } : entry,
      content: [bytes],
    };
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}
