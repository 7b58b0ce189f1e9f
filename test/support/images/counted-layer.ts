import { ImageFiles } from '../../../src/image/image-files.ts';
import { ImageLayers } from '../../../src/image/layers/image-layers.ts';
import type { KeptEntries } from '../../../src/image/layers/kept-entries.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import type { RepositoryName } from '../../../src/model/reference/reference.ts';
import { bytesContent } from '../../../src/registry/content.ts';
import type { GetBlobOptions, Registry } from '../../../src/registry/registry.ts';
import type { BuiltLayer } from '../layer.ts';

/** A layer whose bytes are at hand. */
export type LayerBytes = BuiltLayer & { readonly bytes: Uint8Array };

export interface CountedLayer {
  readonly layer: LayerBytes;
  readonly image: ImageFiles;
  readonly notes: string[];
  /** Bytes that were read of the layer. */
  readonly read: () => number;
  /** How many ranges of it. */
  readonly ranges: () => number;
}

/** An image of one layer with a table of contents, which counts what is read of it. */
export function openCounted(layer: LayerBytes, kept?: KeptEntries): CountedLayer {
  const notes: string[] = [];
  let [count, ranges] = [0, 0];
  const registry = {
    async getBlob(_: RepositoryName, descriptor: Descriptor, { range }: GetBlobOptions = {}) {
      const part = layer.bytes.subarray(range?.start ?? 0, range?.end);
      count += part.length;
      ranges += 1;
      return bytesContent(descriptor, part);
    },
  } as unknown as Registry;
  const layers = new ImageLayers({
    registry,
    repo: 'app' as RepositoryName,
    layers: [layer.descriptor],
    tables: true,
    kept,
    reread: kept !== undefined,
    onNote: (text) => notes.push(text),
  });
  return { layer, image: new ImageFiles({ layers, name: 'app' }), notes, read: () => count, ranges: () => ranges };
}

export async function contentOf({ image }: CountedLayer, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { reading } of image.contents([await image.find(path, { follow: true })])) {
    for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks);
}
