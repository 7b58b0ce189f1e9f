/** Real images, made in memory without any external program, with the same digests on every machine. */

import { digestBytes } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import type { RawManifest } from '../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import type { Platform } from '../../src/model/platform/platform.ts';
import type { RepositoryName, Tag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type BuiltBlob, type BuiltLayer, buildBlob, buildLayer, imageTime, type LayerSpec } from './layer.ts';

/** A manifest with everything it needs to be pushed. */
export interface Built {
  readonly manifest: RawManifest;
  /** As an index would name it: with platform and annotations, if it has any. */
  readonly descriptor: Descriptor;
  readonly blobs: readonly BuiltBlob[];
  readonly children: readonly Built[];
}

export interface BuiltImage extends Built {
  readonly config: BuiltBlob;
  readonly layers: readonly BuiltBlob[];
}

export interface ImageSpec {
  readonly layers: readonly (LayerSpec | BuiltLayer)[];
  /** Default linux/amd64. */
  readonly platform?: Platform;
  /** `oci` (default) or `docker`: the media types of manifest, config and layers. */
  readonly format?: 'oci' | 'docker';
  /** The config's `config`: Env, Cmd, Labels, … */
  readonly run?: Readonly<Record<string, unknown>>;
  readonly created?: Date;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
}

/** An image: layers, a config with history and diff ids, and the manifest. */
export async function buildImage(spec: ImageSpec): Promise<BuiltImage> {
  const docker = spec.format === 'docker';
  const platform = spec.platform ?? { os: 'linux', architecture: 'amd64' };
  const built = await Promise.all(
    spec.layers.map((layer) => ('source' in layer ? layer : buildLayer(docker ? asDockerLayer(layer) : layer))),
  );
  const created = (spec.created ?? imageTime).toISOString();
  const config = await buildBlob(
    JSON.stringify({
      created,
      architecture: platform.architecture,
      os: platform.os,
      ...(platform.variant !== undefined && { variant: platform.variant }),
      config: spec.run ?? {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        Cmd: ['/bin/sh'],
      },
      rootfs: { type: 'layers', diff_ids: built.map(({ diffId }) => diffId) },
      history: built.map((_, i) => ({ created, created_by: `layer ${i + 1}` })),
    }),
    docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig,
  );
  const layers = built.map(({ descriptor, source }) => ({ descriptor, source }));
  const manifest = rawManifest(docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest, {
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    ...(spec.subject && { subject: plain(spec.subject) }),
    ...(spec.annotations && { annotations: spec.annotations }),
  });
  const descriptor = { ...(await describe(manifest)), platform };
  return { manifest, descriptor, blobs: [config, ...layers], children: [], config, layers };
}

export interface IndexSpec {
  readonly format?: 'oci' | 'docker';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
}

/** An index over images, attestations and other indexes, in the order given. */
export async function buildIndex(children: readonly Built[], spec: IndexSpec = {}): Promise<Built> {
  const manifest = rawManifest(spec.format === 'docker' ? mediaTypes.dockerList : mediaTypes.ociIndex, {
    manifests: children.map(({ descriptor }) => entry(descriptor)),
    ...(spec.subject && { subject: plain(spec.subject) }),
    ...(spec.annotations && { annotations: spec.annotations }),
  });
  return { manifest, descriptor: await describe(manifest), blobs: [], children };
}

/** What BuildKit adds to an index: a manifest for platform unknown/unknown that describes another entry. */
export async function buildAttestation(of: Built): Promise<Built> {
  const statement = await buildBlob(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      subject: [{ name: 'image', digest: { sha256: of.descriptor.digest.split(':')[1] } }],
      predicate: { buildType: 'https://mobyproject.org/buildkit@v1' },
    }),
    'application/vnd.in-toto+json',
  );
  const image = await buildImage({
    platform: { os: 'unknown', architecture: 'unknown' },
    layers: [{ ...statement, diffId: statement.descriptor.digest }],
    run: {},
  });
  const annotations = {
    'vnd.docker.reference.digest': of.descriptor.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return { ...image, descriptor: { ...image.descriptor, annotations } };
}

export interface ArtifactSpec {
  readonly artifactType: string;
  readonly subject?: Descriptor;
  /** Default: one small text. */
  readonly blobs?: readonly BuiltBlob[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Puts the type into the config's media type, as before image-spec 1.1, instead of `artifactType`. */
  readonly typeInConfig?: boolean;
}

/** An artifact in an image manifest, with a subject if it describes something. */
export async function buildArtifact(spec: ArtifactSpec): Promise<Built> {
  const config = await buildBlob('{}', spec.typeInConfig ? spec.artifactType : mediaTypes.ociEmpty);
  const blobs = spec.blobs ?? [await buildBlob(`${spec.artifactType}\n`, 'text/plain')];
  const manifest = rawManifest(mediaTypes.ociManifest, {
    ...(!spec.typeInConfig && { artifactType: spec.artifactType }),
    config: config.descriptor,
    layers: blobs.map(({ descriptor }) => descriptor),
    ...(spec.subject && { subject: plain(spec.subject) }),
    ...(spec.annotations && { annotations: spec.annotations }),
  });
  return { manifest, descriptor: await describe(manifest), blobs: [config, ...blobs], children: [] };
}

export interface PushOptions {
  /** Leaves these children out, as in a store that pulled one platform of an index. */
  readonly omit?: readonly Built[];
}

/** Pushes everything, children before parents, the tag last. */
export async function pushImage(
  registry: Registry,
  repo: RepositoryName,
  tag: Tag | undefined,
  built: Built,
  options: PushOptions = {},
): Promise<Descriptor> {
  for (const { descriptor, source } of built.blobs) await registry.pushBlob(repo, descriptor, source);
  for (const child of built.children) {
    if (!options.omit?.includes(child)) await pushImage(registry, repo, undefined, child, options);
  }
  return registry.pushManifest(repo, built.manifest, {
    ...(tag !== undefined && { tags: [tag] }),
    ...(options.omit && { sparse: true }),
  });
}

/** Every blob of a built graph, its own and its children's, each once. */
export function blobsIn(built: Built): BuiltBlob[] {
  const all = [...built.blobs, ...built.children.flatMap(blobsIn)];
  return [...new Map(all.map((blob) => [blob.descriptor.digest, blob])).values()];
}

/** A manifest as bytes. @param fields All but schemaVersion and mediaType. */
export function rawManifest(mediaType: string, fields: Readonly<Record<string, unknown>>): RawManifest {
  const document = { schemaVersion: 2, mediaType, ...fields };
  return { mediaType, bytes: new TextEncoder().encode(JSON.stringify(document, undefined, 2)) };
}

async function describe({ mediaType, bytes }: RawManifest): Promise<Descriptor> {
  return { mediaType, digest: await digestBytes(bytes), size: bytes.length };
}

function asDockerLayer(layer: LayerSpec): LayerSpec {
  return { mediaType: mediaTypes.dockerLayer, ...layer };
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

// The JSON of a platform has its own field names.
function entry({ platform, ...rest }: Descriptor): Record<string, unknown> {
  if (!platform) return rest;
  const { os, architecture, variant, osVersion, osFeatures } = platform;
  return {
    ...rest,
    platform: {
      architecture,
      os,
      ...(variant !== undefined && { variant }),
      ...(osVersion !== undefined && { 'os.version': osVersion }),
      ...(osFeatures !== undefined && { 'os.features': osFeatures }),
    },
  };
}
