import { OciError } from '../errors.ts';
import { quote } from '../quote.ts';
import type { Descriptor } from './descriptor.ts';
import { addManifestType, bareMediaType, isManifestType } from './media-types.ts';

/** What a manifest of a registered type names. */
export interface ManifestReferences {
  /** What must be there before it, and moves with it. */
  readonly blobs?: readonly Descriptor[];
  /** Manifests that it stands for, as an index does. */
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest of a type of one's own. Descriptors come out of `parseDescriptor`, which checks them.
 *
 * @throws OciError MANIFEST_INVALID for what is none.
 */
export type ReadManifestReferences = (bytes: Uint8Array) => ManifestReferences;

const schemas = new Map<string, ReadManifestReferences>();

/**
 * Makes a media type known to all of this process: registries are asked for it, what its manifests name is copied with
 * them, kept by garbage collection, and must be there when they are pushed. A type that is not registered passes through as
 * bytes. Once, at start-up: what was read before is not read again.
 *
 * @throws OciError USAGE for what is no media type, or known already.
 */
export function registerManifestSchema(mediaType: string, read: ReadManifestReferences): void {
  const type = bareMediaType(mediaType);
  if (!/^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/.test(type)) {
    throw new OciError('USAGE', `${quote(mediaType)} is no media type`);
  }
  if (isManifestType(type)) throw new OciError('USAGE', `${quote(type)} is the type of a manifest already`);
  schemas.set(type, read);
  addManifestType(type);
}

/** undefined for a type that nobody registered. */
export function manifestSchema(mediaType: string): ReadManifestReferences | undefined {
  return schemas.get(mediaType);
}
