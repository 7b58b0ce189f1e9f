import type { SearchedImage } from '../../artifacts/sbom/find-sboms.ts';
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { isIndexType } from '../../model/manifest/media-types.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { attestedDigest, isAttestation } from '../../model/platform/platform-selection.ts';
import { maxIndexDepth, noMatch } from '../../transfer/platforms.ts';
import type { Inspection } from '../inspect/gather.ts';

/**
 * The image for a platform, and the indexes that it is in. The manifest of the image itself is not read: its digest suffices.
 *
 * @param how.explicit Whether the platform was asked for; then an image for another one is an error.
 * @throws OciError MANIFEST_UNKNOWN, PLATFORM_UNKNOWN
 */
export async function searchedImage(
  inspection: Inspection,
  { platform, explicit }: { readonly platform: Platform; readonly explicit: boolean },
): Promise<SearchedImage> {
  let manifest = await inspection.root();
  const indexes: Digest[] = [];
  let attestations: readonly Descriptor[] = [];
  while (manifest.view.kind === 'index') {
    const { view, descriptor } = manifest;
    indexes.unshift(descriptor.digest);
    const entry = indexes.length <= maxIndexDepth ? await inspection.choose(view) : undefined;
    if (!entry) throw noMatch(view, platform);
    attestations = view.manifests.filter((other) => isAttestation(other) && attestedDigest(other) === entry.digest);
    if (entry.platform && !isIndexType(entry.mediaType)) return { subjects: [entry.digest, ...indexes], attestations };
    manifest = await inspection.manifest(entry.digest);
  }
  // No index vouches for its platform: its config tells.
  if (explicit) await inspection.image();
  return { subjects: [manifest.descriptor.digest, ...indexes], attestations };
}
