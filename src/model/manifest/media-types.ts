/**
 * The media types that are interpreted here. Others are passed on unchanged.
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
  /** Removed before image-spec 1.1, but still found in registries. */
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
 * The media types that a manifest request accepts, best first, including registered types. Schema 1 is left out: if it
 * were accepted, some registries would convert images to it.
 */
export function manifestMediaTypes(): readonly string[] {
  return [...ownManifestTypes, ...addedManifestTypes];
}

/** The `Accept` header of a manifest request. */
export function manifestAcceptHeader(): string {
  return manifestMediaTypes().join(', ');
}

/** For `registerManifestSchema` only. */
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

/** Whether it is a layer that licences forbid to redistribute: fetched from its own URLs, not pushed. */
export function isForeignLayerType(mediaType: string): boolean {
  return mediaType === mediaTypes.dockerForeignLayer || mediaType.includes('.layer.nondistributable.');
}

/** A media type in lower case without its parameters: the form in which a Content-Type is compared. */
export function bareMediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

// A restricted name of RFC 6838.
const restrictedName = '[a-z0-9][a-z0-9!#$&^_.+-]{0,126}';
const mediaTypeGrammar = new RegExp(`^${restrictedName}/${restrictedName}$`);

/** Whether a text without parameters, in lower case, is a media type. @see https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
export function isMediaType(text: string): boolean {
  return mediaTypeGrammar.test(text);
}
