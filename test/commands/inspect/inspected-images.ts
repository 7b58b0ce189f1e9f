/** Images whose config the test writes, and one with everything that inspect shows. */

import type { TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { hostPlatform, type Platform } from '../../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { type Built, type BuiltImage, pushImage, rawManifest } from '../../support/images.ts';
import { type BuiltBlob, buildBlob, buildLayer } from '../../support/layer.ts';
import { startServe } from '../../support/registries.ts';

export interface WrittenImage {
  /** The complete config: an object, or any text. */
  readonly config: Readonly<Record<string, unknown>> | string;
  /** Default: one small layer. */
  readonly layers?: readonly BuiltBlob[];
  readonly format?: 'oci' | 'docker';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** An image with exactly this config. */
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

/** An image whose config sets every field. */
export async function richImage() {
  const layers = [
    await buildLayer({ files: { a: 'a' } }),
    await buildLayer({ files: { b: 'b'.repeat(5000) }, compression: 'none' }),
  ];
  return writeImage({
    config: {
      created: '2024-01-02T03:04:05.120Z',
      author: 'Ann',
      architecture: hostPlatform().architecture,
      os: 'linux',
      config: {
        Entrypoint: ['/entry'],
        Cmd: ['a', 'b c'],
        Env: ['PATH=/bin', 'A=b'],
        User: 'app',
        WorkingDir: '/work',
        ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
        Volumes: { '/data': {} },
        StopSignal: 'SIGQUIT',
        Labels: { version: '1.2', 'org.example': 'x' },
      },
      history: [
        { created_by: '/bin/sh -c #(nop) ADD file:1 in / ' },
        { created_by: '/bin/sh -c apt-get update &&\n\tapt-get install', comment: 'buildkit' },
        { created_by: 'CMD ["a"]', empty_layer: true },
      ],
    },
    layers,
    platform: hostPlatform(),
  });
}

/** Serves images by repository, each tagged 1.0. */
export async function serveImages(t: TestContext, images: Readonly<Record<string, Built>>): Promise<string> {
  const served = await startServe(t);
  for (const [name, built] of Object.entries(images)) {
    await pushImage(served.registry, parseRepositoryName(name), parseTag('1.0'), built);
  }
  return served.host;
}
