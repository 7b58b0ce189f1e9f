/**
 * The media types that have a meaning here. Others pass through untouched.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md
 */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  /** Withdrawn before image-spec 1.1, still found in registries. */
  ociArtifact: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  octetStream: 'application/octet-stream',
} as const;

const ownManifestTypes: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  mediaTypes.ociArtifact,
];
const addedManifestTypes = new Set<string>();

/**
 * What a manifest request accepts, best first, registered types included. Schema 1 is absent: registries convert to it when
 * it is offered.
 */
export function manifestMediaTypes(): readonly string[] {
  return [...ownManifestTypes, ...addedManifestTypes];
}

/** The `Accept` of a manifest request. */
export function manifestAcceptHeader(): string {
  return manifestMediaTypes().join(', ');
}

/** A part of `registerManifestSchema`. */
export function addManifestType(mediaType: string): void {
  addedManifestTypes.add(mediaType);
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
}

export function isImageType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

export function isSchema1Type(mediaType: string): boolean {
  return mediaType === mediaTypes.dockerSchema1 || mediaType === mediaTypes.dockerSchema1Signed;
}

/** Whether a descriptor of this type names a manifest rather than a blob. */
export function isManifestType(mediaType: string): boolean {
  return ownManifestTypes.includes(mediaType) || isSchema1Type(mediaType) || addedManifestTypes.has(mediaType);
}

/** Layers that licences forbid to redistribute: fetched from their own URLs, not pushed. */
export function isForeignLayerType(mediaType: string): boolean {
  return mediaType === mediaTypes.dockerForeignLayer || mediaType.includes('.layer.nondistributable.');
}

/** A media type without its parameters, in lower case: what a Content-Type is compared by. */
export function bareMediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

// A name as RFC 6838 restricts it.
const restrictedName = '[a-z0-9][a-z0-9!#$&^_.+-]{0,126}';
const mediaTypeGrammar = new RegExp(`^${restrictedName}/${restrictedName}$`);

/** Whether a text without parameters, in lower case, is a media type. @see https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
export function isMediaType(text: string): boolean {
  return mediaTypeGrammar.test(text);
}
