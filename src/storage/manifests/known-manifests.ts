import type { Digest } from '../../model/digest.ts';
import type { RawManifest } from '../../model/manifest/manifest.ts';
import { RecentMap } from '../../model/recent-map.ts';
import type { StorePath } from '../driver.ts';

/** Most manifests have one or two KiB. Together they bound the memory: 16 MiB. */
const [maxManifests, maxManifestBytes] = [1_000, 16 * 1024];
const maxTags = 10_000;
/** Then its bytes are read again, since another process may have damaged or deleted them. */
const freshMs = 5_000;

interface Known {
  readonly raw: RawManifest;
  readonly readAt: number;
}

/**
 * What was read of manifests, so that it need not be requested again for some seconds: their bytes, which a digest fixes, and where
 * tags pointed. Whether a repository has a manifest, and where a tag points now, is asked of the store each time.
 */
export class KnownManifests {
  readonly #now: () => Date;
  readonly #manifests = new RecentMap<Digest, Known>(maxManifests);
  readonly #targets = new RecentMap<StorePath, Digest>(maxTags);

  constructor(now: () => Date) {
    this.#now = now;
  }

  get(digest: Digest): RawManifest | undefined {
    const known = this.#manifests.get(digest);
    if (known === undefined) return undefined;
    const age = this.#now().getTime() - known.readAt;
    // The clock may have been set back.
    if (age >= 0 && age < freshMs) return known.raw;
    this.#manifests.delete(digest);
    return undefined;
  }

  /** @param raw Verified, and of a type that its bytes name: another type is a property of the repository. */
  learn(digest: Digest, { mediaType, bytes }: RawManifest): void {
    if (bytes.length > maxManifestBytes) return;
    // A copy: the bytes may be a slice of a much larger buffer.
    const raw = { mediaType, bytes: Uint8Array.from(bytes) };
    this.#manifests.set(digest, { raw, readAt: this.#now().getTime() });
  }

  /** Where a tag pointed when it was last read. @param tag The path of its current link. */
  lastTarget(tag: StorePath): Digest | undefined {
    return this.#targets.get(tag);
  }

  pointsAt(tag: StorePath, digest: Digest): void {
    this.#targets.set(tag, digest);
  }
}
