/** The media types of layers, by what they say. */
import type { LayerCompression } from '../archive/envelope/compress.ts';
import { OciError } from '../model/errors.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';

/** Whose media types a manifest has. */
export type ImageFormat = 'oci' | 'docker';

interface LayerForm {
  readonly format: ImageFormat;
  readonly compression: LayerCompression['kind'];
  /** Whether licences forbid to redistribute it: it stays as it is, because it is fetched from its own URLs. */
  readonly foreign: boolean;
}

const ociForeign = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
const dockerPlain = 'application/vnd.docker.image.rootfs.diff.tar';
const dockerForeignPlain = 'application/vnd.docker.image.rootfs.foreign.diff.tar';

const rows: readonly (readonly [string, ImageFormat, LayerCompression['kind'], boolean])[] = [
  [mediaTypes.ociLayer, 'oci', 'none', false],
  [mediaTypes.ociLayerGzip, 'oci', 'gzip', false],
  [mediaTypes.ociLayerZstd, 'oci', 'zstd', false],
  [ociForeign, 'oci', 'none', true],
  [`${ociForeign}+gzip`, 'oci', 'gzip', true],
  [`${ociForeign}+zstd`, 'oci', 'zstd', true],
  [dockerPlain, 'docker', 'none', false],
  [mediaTypes.dockerLayer, 'docker', 'gzip', false],
  [dockerForeignPlain, 'docker', 'none', true],
  [mediaTypes.dockerForeignLayer, 'docker', 'gzip', true],
];

const forms = new Map<string, LayerForm>([
  ...rows.map(([type, format, compression, foreign]) => [type, { format, compression, foreign }] as const),
  // Some programs write this, although no version of Docker reads it: it is converted, and never written.
  [`${dockerPlain}.zstd`, { format: 'docker', compression: 'zstd', foreign: false }],
]);

/** What a media type says of a layer; undefined if it is not that of an image's layer. */
export function layerForm(mediaType: string): LayerForm | undefined {
  return forms.get(mediaType);
}

/** The media type for a layer; undefined for what the format does not have, which is zstd in Docker's. */
export function layerType({ format, compression, foreign }: LayerForm): string | undefined {
  return rows.find((row) => row[1] === format && row[2] === compression && row[3] === foreign)?.[0];
}

/** The media type of a layer that is made. @throws OciError UNSUPPORTED for zstd in Docker's format. */
export function layerTypeIn(format: ImageFormat, compression: LayerCompression['kind']): string {
  const type = layerType({ format, compression, foreign: false });
  if (type !== undefined) return type;
  throw new OciError('UNSUPPORTED', `docker's image format has no layers in ${compression}`, {
    hint: 'use --compress gzip, or change the format first: ocictl copy --image-format oci',
  });
}
