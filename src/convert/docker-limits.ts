/** What Docker's image format cannot hold. It is refused before anything is written. */
import type { LayerCompression } from '../archive/envelope/compress.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { hasImageConfig } from '../model/manifest/image-config.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import { isImageType } from '../model/manifest/media-types.ts';
import { quote } from '../model/quote.ts';
import { layerForm } from './layer-types.ts';
import { keptAnnotations } from './recompress.ts';

const leaveOut = 'leave --image-format out, or copy to the format oci';
const onePlatform = 'copy single images, with --platform, or leave --image-format out';

/**
 * Refuses a manifest that Docker's format cannot hold.
 *
 * @param compression What the layers get, if they are compressed again.
 * @throws OciError UNSUPPORTED naming what it is.
 * @see https://distribution.github.io/distribution/spec/manifest-v2-2/
 */
export function refuseForDocker(manifest: Manifest, compression: LayerCompression['kind'] | undefined): void {
  const { descriptor, mediaType, view } = manifest;
  const refuse: Refuse = (problem, hint = leaveOut) => {
    throw new OciError('UNSUPPORTED', `docker's image format has no ${problem}: ${descriptor.digest}`, { hint });
  };
  if (view.subject) refuse('subject, and this manifest has one');
  if (view.artifactType !== undefined) refuse(`artifact types, and this manifest is of ${quote(view.artifactType)}`);
  if (view.kind === 'index') {
    for (const entry of view.manifests) refuseEntry(entry, refuse);
    refuseAnnotations(view.annotations, 'this index', refuse, onePlatform);
  } else if (view.kind === 'image') {
    refuseAnnotations(view.annotations, 'this manifest', refuse);
    refuseAnnotations(view.config.annotations, 'its config', refuse);
    if (!hasImageConfig(view))
      refuse(`artifacts, and this one has a config of the type ${quote(view.config.mediaType)}`);
    for (const layer of view.layers) refuseLayer(layer, compression, refuse);
  } else refuse(`manifests of the type ${quote(mediaType)}`);
}

type Refuse = (problem: string, hint?: string) => never;

function refuseEntry({ mediaType, platform, annotations, artifactType, digest }: Descriptor, refuse: Refuse): void {
  if (!isImageType(mediaType)) refuse(`entries of the type ${quote(mediaType)}, and this index has one`, onePlatform);
  if (artifactType !== undefined) {
    refuse(`artifact types, and this index names one, ${quote(artifactType)}`, onePlatform);
  }
  const of = `${platform?.os === 'unknown' ? 'the attestation' : 'the entry'} ${digest}`;
  refuseAnnotations(annotations, of, refuse, onePlatform);
}

function refuseLayer(layer: Descriptor, compression: LayerCompression['kind'] | undefined, refuse: Refuse): void {
  const form =
    layerForm(layer.mediaType) ?? refuse(`layers of the type ${quote(layer.mediaType)}, and this image has one`);
  const changes = compression !== undefined && compression !== form.compression && !form.foreign;
  if (form.compression === 'zstd' && !changes) {
    refuse('layers in zstd, and this image has one', form.foreign ? leaveOut : 'add --compress gzip');
  }
  refuseAnnotations(changes ? keptAnnotations(layer) : layer.annotations, `the layer ${layer.digest}`, refuse);
  if (layer.artifactType !== undefined) refuse(`artifact types, and the layer ${layer.digest} has one`);
}

function refuseAnnotations(annotations: Descriptor['annotations'], of: string, refuse: Refuse, hint?: string): void {
  const [name] = Object.keys(annotations ?? {});
  if (name !== undefined) refuse(`annotations, and ${of} has ${quote(name)}`, hint);
}

/** @throws OciError UNSUPPORTED for layers that would be in zstd in an image that stays in Docker's format. */
export function refuseZstdInDocker({ view, descriptor }: Manifest): void {
  if (view.kind !== 'image' || !hasImageConfig(view)) return;
  const forms = view.layers.map(({ mediaType }) => layerForm(mediaType));
  if (!forms.some((form) => form?.format === 'docker' && !form.foreign && form.compression !== 'zstd')) return;
  throw new OciError(
    'UNSUPPORTED',
    `docker's image format has no layers in zstd: ${descriptor.digest} has that format`,
    {
      hint: 'add --image-format oci',
    },
  );
}
