/** Images with a config written by the test, and everything that inspect shows. */

import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/media-types.ts';
import type { Platform } from '../../src/model/platform.ts';
import { type Built, type BuiltImage, rawManifest } from '../support/images.ts';
import { type BuiltBlob, buildBlob, buildLayer } from '../support/layer.ts';

export interface WrittenImage {
  /** The config, whole: an object, or any text. */
  readonly config: Readonly<Record<string, unknown>> | string;
  /** Default: one small layer. */
  readonly layers?: readonly BuiltBlob[];
  readonly format?: 'oci' | 'docker';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** An image with this very config. */
export async function writeImage(spec: WrittenImage): Promise<BuiltImage> {
  const isDocker = spec.format === 'docker';
  const text = typeof spec.config === 'string' ? spec.config : JSON.stringify(spec.config);
  const config = await buildBlob(text, isDocker ? mediaTypes.dockerConfig : mediaTypes.ociConfig);
  const layers = spec.layers ?? [
    await buildLayer({ files: { a: 'a' }, ...(isDocker && { mediaType: mediaTypes.dockerLayer }) }),
  ];
  const manifest = rawManifest(isDocker ? mediaTypes.dockerManifest : mediaTypes.ociManifest, {
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    ...(spec.annotations && { annotations: spec.annotations }),
  });
  const { mediaType, bytes } = manifest;
  const descriptor = { mediaType, digest: await digestBytes(bytes), size: bytes.length };
  const { platform } = spec;
  return {
    manifest,
    descriptor: { ...descriptor, ...(platform && { platform }) },
    blobs: [config, ...layers],
    children: [],
    config,
    layers,
  };
}

/** A blob with annotations in its descriptor. */
export function annotated<T extends Built | BuiltBlob>(built: T, annotations: Readonly<Record<string, string>>): T {
  return { ...built, descriptor: { ...built.descriptor, annotations } };
}
