/** Changes the format of images and the compression of their layers while they are copied. */
import { type LayerCompression, zstdCompressor } from '../archive/envelope/compress.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { hasImageConfig, readImageConfig } from '../model/manifest/image-config.ts';
import type { ImageView, Manifest, RawManifest } from '../model/manifest/manifest.ts';
import { type BlobSource, readContent } from '../registry/content.ts';
import type { ChangedBlob, SourceBlob, Transform } from '../transfer/options.ts';
import { refuseForDocker, refuseZstdInDocker } from './docker-limits.ts';
import { type ImageFormat, layerForm, layerType } from './layer-types.ts';
import { inFormat } from './manifest-format.ts';
import { type RecompressedLayer, recompress } from './recompress.ts';

/** What is changed. */
export interface Conversion {
  /** The format of manifests; undefined: as they are. */
  readonly format: ImageFormat | undefined;
  /** The compression of layers; undefined: as they are. */
  readonly compression: LayerCompression | undefined;
}

/** A conversion for batches of transfers from one source. A layer is converted once. Disposing it removes its temporary files. */
export interface Converter extends Disposable {
  readonly transform: Transform;
}

const maxConfigBytes = 4 * 1024 * 1024;

/** @throws OciError UNSUPPORTED for zstd where Node has none. */
export async function createConverter(conversion: Conversion): Promise<Converter> {
  if (conversion.compression?.kind === 'zstd') await zstdCompressor('--compress gzip');
  const running = new Conversions(conversion);
  const transform: Transform = {
    examine: async (manifests) => running.examine(manifests),
    blob: (blob) => running.blob(blob),
    manifest: (manifest) => running.manifest(manifest),
  };
  return { transform, [Symbol.dispose]: () => running.close() };
}

class Conversions {
  readonly #format: ImageFormat | undefined;
  readonly #compression: LayerCompression | undefined;
  /** Layers of images: those of artifacts may be anything, whatever their type. */
  readonly #imageLayers = new Set<Digest>();
  readonly #configs = new Map<Digest, BlobSource>();
  /** By their old digests and new types: several destinations want the same. */
  readonly #layers = new Map<string, Promise<RecompressedLayer>>();
  /** By their new digests. */
  readonly #changed = new Map<Digest, RecompressedLayer>();

  constructor({ format, compression }: Conversion) {
    this.#format = format;
    this.#compression = compression;
  }

  examine(manifests: readonly Manifest[]): void {
    const kind = this.#compression?.kind;
    // An index first: what is wrong with it tells more than what is wrong with one of its entries.
    for (const manifest of manifests.toReversed()) {
      if (this.#format === 'docker') refuseForDocker(manifest, kind);
      if (this.#format === undefined && kind === 'zstd') refuseZstdInDocker(manifest);
      const { view } = manifest;
      if (view.kind !== 'image' || !hasImageConfig(view)) continue;
      for (const { digest } of view.layers) this.#imageLayers.add(digest);
    }
  }

  async blob({ descriptor, kind, source }: SourceBlob): Promise<ChangedBlob | undefined> {
    const compression = this.#compression;
    if (!compression) return undefined;
    if (kind === 'config') this.#configs.set(descriptor.digest, source);
    const form = layerForm(descriptor.mediaType);
    if (!form || !this.#imageLayers.has(descriptor.digest)) return undefined;
    if (form.foreign || form.compression === compression.kind) return undefined;
    const type = layerType({ ...form, compression: compression.kind, format: this.#format ?? form.format });
    if (type === undefined) return undefined;
    const key = `${descriptor.digest} ${type}`;
    const running = this.#layers.get(key) ?? this.#recompressed(descriptor, source, compression, type);
    this.#layers.set(key, running);
    try {
      return await running;
    } catch (error) {
      // Another destination may still read it: what failed may have been stopped with the first.
      if (this.#layers.get(key) === running) this.#layers.delete(key);
      throw error;
    }
  }

  async #recompressed(
    descriptor: SourceBlob['descriptor'],
    source: BlobSource,
    compression: LayerCompression,
    type: string,
  ): Promise<RecompressedLayer> {
    const layer = await recompress(descriptor, source, compression, type);
    // Two layers may be one now. The first one's file stays until the end as well.
    this.#files.push(layer);
    this.#changed.set(layer.descriptor.digest, layer);
    return layer;
  }

  async manifest(manifest: Manifest): Promise<RawManifest | undefined> {
    if (manifest.view.kind === 'image' && hasImageConfig(manifest.view)) await this.#verify(manifest.view, manifest);
    return this.#format && inFormat(manifest, this.#format);
  }

  close(): void {
    for (const layer of this.#files.splice(0)) layer.close();
  }

  readonly #files: RecompressedLayer[] = [];

  /** @throws OciError DIGEST_MISMATCH for a layer that unpacks to something else than its config says. */
  async #verify({ config, layers }: ImageView, { descriptor }: Manifest): Promise<void> {
    const changed = layers.map(({ digest }) => this.#changed.get(digest));
    const source = this.#configs.get(config.digest);
    if (!source || changed.every((layer) => layer === undefined)) return;
    const { diffIds } = readImageConfig(await readContent(await source.open(0), maxConfigBytes));
    if (diffIds.length !== layers.length) {
      throw new OciError(
        'MANIFEST_INVALID',
        `malformed image ${descriptor.digest}: its config names ${diffIds.length} layers, its manifest ${layers.length}`,
        { hint: 'without --compress it is copied as it is' },
      );
    }
    for (const [i, layer] of changed.entries()) {
      if (!layer || layer.diffId === diffIds[i]) continue;
      throw new OciError(
        'DIGEST_MISMATCH',
        `layer ${i + 1} of the image unpacks to ${layer.diffId}, and its config says ${String(diffIds[i])}`,
        { hint: 'the image is damaged or was changed: build it again; without --compress it is copied as it is' },
      );
    }
  }
}
