/** The JSON of `skopeo inspect`: its keys in its order, followed by ours. */

import type { ImageConfig } from '../../model/manifest/image-config.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { formatPlatform } from '../../model/platform/platform.ts';
import { isAttestation } from '../../model/platform/platform-selection.ts';
import type { IndexEntry } from './gather.ts';
import { layersOf, sizeOf } from './layers.ts';

interface InspectedImage {
  /** The repository's full name, if it has one. */
  readonly repository: string | undefined;
  /** Null if the registry does not allow listing tags. */
  readonly tags: readonly string[] | null;
  readonly root: Manifest;
  readonly image: Manifest;
  readonly config: ImageConfig | undefined;
  readonly entries: readonly IndexEntry[];
}

/** The keys of {@link skopeoRecord}. */
export const inspectedFields = [
  'Name',
  'Digest',
  'RepoTags',
  'Created',
  'DockerVersion',
  'Labels',
  'Architecture',
  'Os',
  'Layers',
  'LayersData',
  'Env',
  'MediaType',
  'ImageDigest',
  'ArtifactType',
  'Size',
  'Annotations',
  'Platforms',
] as const;

type InspectedField = (typeof inspectedFields)[number];

/** A record for {@link formatJson} and for templates; null where skopeo writes null. */
export function skopeoRecord(inspected: InspectedImage): Readonly<Record<InspectedField, unknown>> {
  const { repository, tags, root, image, config, entries } = inspected;
  const layers = layersOf(image.view);
  const isDocker = image.mediaType === mediaTypes.dockerManifest;
  // Docker's format has no annotations; if a layer has some nevertheless, skopeo ignores them.
  const annotations = (from: Readonly<Record<string, string>> | undefined) => (from && !isDocker ? mapOf(from) : null);
  return {
    Name: repository,
    Digest: root.descriptor.digest,
    RepoTags: tags,
    Created: config?.created ?? (config && isDocker ? zeroTime : null),
    DockerVersion: config?.dockerVersion ?? '',
    Labels: config?.labels ?? null,
    Architecture: config?.architecture ?? '',
    Os: config?.os ?? '',
    Layers: layers.map(({ digest }) => digest),
    LayersData: layers.map((layer) => ({
      MIMEType: layer.mediaType,
      Digest: layer.digest,
      Size: layer.size,
      Annotations: annotations(layer.annotations),
    })),
    Env: config?.env ?? null,
    MediaType: root.mediaType,
    ImageDigest: image.descriptor.digest,
    ArtifactType: image.view.artifactType ?? '',
    Size: sizeOf(image.view),
    Annotations: mapOf(image.view.annotations),
    Platforms: platformsOf(entries),
  };
}

/** Go's zero `time.Time`; Docker's format cannot leave `created` out. */
const zeroTime = '0001-01-01T00:00:00Z';

function platformsOf(entries: readonly IndexEntry[]): readonly unknown[] {
  return entries.flatMap(({ descriptor, attestations, inner }) => {
    if (inner.length > 0) return platformsOf(inner);
    if (isAttestation(descriptor)) return [];
    return [
      {
        Platform: descriptor.platform ? formatPlatform(descriptor.platform) : '',
        Digest: descriptor.digest,
        MediaType: descriptor.mediaType,
        Attestations: attestations.map(({ digest }) => digest),
      },
    ];
  });
}

function mapOf(fields: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(fields));
}
