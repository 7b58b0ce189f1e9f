import type { Digest } from '../../model/digest.ts';
import type { RawManifest } from '../../model/manifest/manifest.ts';
import { RecentMap } from '../../model/recent-map.ts';
import type { StorePath } from '../driver.ts';

/** Most manifests have one or two KiB. Together they bound the memory: 16 MiB. */
const [maxManifests, maxManifestBytes] = [1_000, 16 * 1024];
const maxTags = 10_000;

/**
 * What was read of manifests, so that it need not be requested again: their bytes, which a digest fixes, and where tags pointed.
 * Whether a repository has a manifest, and where a tag points now, is asked of the store each time.
 */
export class KnownManifests {
  readonly #manifests = new RecentMap<Digest, RawManifest>(maxManifests);
  readonly #targets = new RecentMap<StorePath, Digest>(maxTags);

  get(digest: Digest): RawManifest | undefined {
    return this.#manifests.get(digest);
  }

  /** @param raw Verified, and of a type that its bytes name: another type is a property of the repository. */
  learn(digest: Digest, { mediaType, bytes }: RawManifest): void {
    if (bytes.length > maxManifestBytes) return;
    // A copy: the bytes may be a slice of a much larger buffer.
    this.#manifests.set(digest, { mediaType, bytes: Uint8Array.from(bytes) });
  }

  /** Where a tag pointed when it was last read. @param tag The path of its current link. */
  lastTarget(tag: StorePath): Digest | undefined {
    return this.#targets.get(tag);
  }

  pointsAt(tag: StorePath, digest: Digest): void {
    this.#targets.set(tag, digest);
  }
}
