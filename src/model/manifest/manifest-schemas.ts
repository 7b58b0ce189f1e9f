import { checkArgument } from '../check-arguments.ts';
import { OciError } from '../errors.ts';
import { quote } from '../quote.ts';
import type { Descriptor } from './descriptor.ts';
import { addManifestType, bareMediaType, isManifestType } from './media-types.ts';

/** The references in a manifest of a registered type. */
export interface ManifestReferences {
  /** Blobs that must be stored before the manifest is, and that are copied with it. */
  readonly blobs?: readonly Descriptor[];
  /** Child manifests, like the entries of an index. */
  readonly manifests?: readonly Descriptor[];
  /** The manifest that this one refers to. */
  readonly subject?: Descriptor;
  /** For the list of referrers. */
  readonly artifactType?: string;
  /** For the list of referrers. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest of a custom type. Descriptors have to be made by `parseDescriptor`, which checks them.
 *
 * @throws OciError MANIFEST_INVALID if the bytes are not such a manifest.
 */
export type ReadManifestReferences = (bytes: Uint8Array) => ManifestReferences;

const schemas = new Map<string, ReadManifestReferences>();

/**
 * Registers a media type of manifests for this process. Requests to registries then accept it. What its manifests reference
 * is copied with them, kept by garbage collection, and must exist when they are pushed. A manifest of a type that is not
 * registered is passed on as bytes. Register at start-up: manifests that were already parsed are not parsed again.
 *
 * @throws OciError USAGE if it is not a media type, or is known already.
 */
export function registerManifestSchema(mediaType: string, read: ReadManifestReferences): void {
  checkArgument('registerManifestSchema', 'the media type', mediaType, 'string');
  checkArgument('registerManifestSchema', 'the reader', read, 'function');
  const type = bareMediaType(mediaType);
  if (!/^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/.test(type)) {
    throw new OciError('USAGE', `${quote(mediaType)} is not a media type`);
  }
  if (isManifestType(type)) throw new OciError('USAGE', `${quote(type)} is a known manifest type already`);
  schemas.set(type, read);
  addManifestType(type);
}

/** Undefined for a type that is not registered. */
export function manifestSchema(mediaType: string): ReadManifestReferences | undefined {
  return schemas.get(mediaType);
}
