/**
 * The annotations by which an artifact's layers become files again.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
 * @see https://github.com/oras-project/oras-go/blob/v2.6.0/content/file/file.go
 */
export const annotationKeys = {
  /** Of a layer: the path of the file, with forward slashes. */
  title: 'org.opencontainers.image.title',
  /** When it was made, as RFC 3339 has it. */
  created: 'org.opencontainers.image.created',
  /** Of a layer: `true` for a directory, which is a compressed tar archive. */
  unpack: 'io.deis.oras.content.unpack',
  /** Of a directory: the digest of the archive before it was compressed. */
  unpackedDigest: 'io.deis.oras.content.digest',
} as const;
