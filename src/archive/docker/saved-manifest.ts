import { type Digest, digestBytes } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import type { ArchiveFiles } from '../files.ts';
import type { SavedImage } from './manifest-json.ts';
import { lacks, type SavedConfig } from './saved-config.ts';
import { type DescribeLayer, layerDescriptors, type SavedLayer } from './saved-layers.ts';

/** An image of manifest.json with a manifest that was made for it. */
export interface ComposedImage {
  readonly names: readonly string[];
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** The path of the config, by its digest. */
  readonly config: { readonly digest: Digest; readonly path: string };
  readonly layers: readonly SavedLayer[];
}

/**
 * Makes a manifest for a saved image, of schema 2: the config and the layers are taken as they are. The same archive gives the
 * same bytes.
 *
 * @throws OciError ARCHIVE_INVALID if layers are missing
 * @see https://github.com/distribution/distribution/blob/v3.0.0/docs/content/spec/manifest-v2-2.md
 */
export async function composeImage(
  files: ArchiveFiles,
  image: SavedImage,
  { digest, size, diffIds }: SavedConfig,
  describe: DescribeLayer,
): Promise<ComposedImage> {
  const layers: SavedLayer[] = [];
  const missing: string[] = [];
  for (const [i, path] of image.layers.entries()) {
    const layer = await describe(path, diffIds[i] as Digest);
    if (layer === undefined) missing.push(path);
    else layers.push(layer);
  }
  if (missing.length > 0) throw lacks(files, missing);
  const { format, descriptors } = layerDescriptors(layers);
  const mediaType = format === 'docker' ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const configType = format === 'docker' ? mediaTypes.dockerConfig : mediaTypes.ociConfig;
  const config = { mediaType: configType, digest, size };
  const document = { schemaVersion: 2, mediaType, config, layers: descriptors };
  const bytes = Buffer.from(JSON.stringify(document));
  return {
    names: image.names,
    descriptor: { mediaType, digest: await digestBytes(bytes), size: bytes.length },
    bytes,
    config: { digest, path: image.config },
    layers,
  };
}
