import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type Manifest, readManifest } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';

/** The versions of the image specification that say how an artifact is written. */
export const imageSpecs = ['v1.1', 'v1.0'] as const;
export type ImageSpec = (typeof imageSpecs)[number];

/** The type of an artifact that has none. @see https://github.com/oras-project/oras-go/blob/v2.6.0/pack.go */
export const unknownArtifactType = 'application/vnd.unknown.artifact.v1';

/** The type of a config that has none. */
export const unknownConfigType = 'application/vnd.unknown.config.v1+json';

interface ManifestContent {
  readonly artifactType: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The manifest of an artifact, with its fields in the order of the specification.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export async function artifactManifest(content: ManifestContent): Promise<Manifest> {
  const { artifactType, config, layers, subject, annotations } = content;
  const mediaType = mediaTypes.ociManifest;
  const document = {
    schemaVersion: 2,
    mediaType,
    ...(artifactType !== undefined && { artifactType }),
    config: written(config),
    layers: layers.map(written),
    ...(subject && { subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size } }),
    ...(Object.keys(annotations).length > 0 && { annotations: sorted(annotations) }),
  };
  return await readManifest({ mediaType, bytes: Buffer.from(JSON.stringify(document)) });
}

function written({ mediaType, digest, size, annotations = {}, data }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(Object.keys(annotations).length > 0 && { annotations: sorted(annotations) }),
    ...(data !== undefined && { data }),
  };
}

/** In the order of their bytes, whatever order they were given in. */
function sorted(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(annotations);
  return Object.fromEntries(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}
