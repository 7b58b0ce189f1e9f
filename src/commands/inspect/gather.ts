/** Fetches what inspect shows, and nothing twice: registries that limit pulls count each manifest of an index. */
import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { hasImageConfig, type ImageConfig, readImageConfig } from '../../model/manifest/image-config.ts';
import { type IndexView, type Manifest, schema1Refused } from '../../model/manifest/manifest.ts';
import { isIndexType } from '../../model/manifest/media-types.ts';
import { formatPlatform, type Platform } from '../../model/platform/platform.ts';
import { attestedDigest, isAttestation, selectPlatform } from '../../model/platform/platform-selection.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { readFrom } from '../../places/place.ts';
import { readConfig } from '../../registry/config.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { findEntry, followIndexes, noMatch, requirePlatform } from '../../transfer/platforms.ts';

interface InspectionOptions extends SignalOption {
  readonly platform: Platform;
  /** Whether the platform was requested; otherwise it is the one this machine would use. */
  readonly explicit: boolean;
}

/** An entry of an index, with what belongs to it. */
export interface IndexEntry {
  readonly descriptor: Descriptor;
  /** Entries that describe this one. */
  readonly attestations: readonly Descriptor[];
  /** For an index inside the index; empty if it is missing or was shown before. */
  readonly inner: readonly IndexEntry[];
  readonly present: boolean;
}

/** Enough for every real image; a hostile index could name thousands. */
const maxNestedIndexes = 64;

/** One inspection. It reads on demand, and keeps what it has read. */
export class Inspection {
  readonly place: Place;
  readonly #options: InspectionOptions;
  readonly #manifests = new Map<Tag | Digest, Promise<Manifest>>();

  constructor(place: Place, options: InspectionOptions) {
    this.place = place;
    this.#options = options;
  }

  /** What the reference names. @throws OciError MANIFEST_UNKNOWN; for the local store IMAGE_UNKNOWN */
  root(): Promise<Manifest> {
    return readFrom(this.place, () => this.manifest(this.place.reference));
  }

  /**
   * The one image to show: the root, or the entry of its index for the platform. If a store has only other platforms,
   * it is one of those, unless a platform was requested.
   *
   * @throws OciError PLATFORM_UNKNOWN
   */
  async image(): Promise<Manifest> {
    const { registry, repo } = this.place;
    const { platform, explicit, signal } = this.#options;
    const choose = (view: IndexView): Promise<Descriptor | undefined> => this.choose(view);
    const { image, isVouchedFor } = await followIndexes(await this.root(), platform, choose, (entry) =>
      this.manifest(entry.digest),
    );
    if (explicit && !isVouchedFor && hasImageConfig(image.view)) {
      await requirePlatform(registry, repo, image, [platform], { signal });
    }
    return image;
  }

  /** The exact bytes of an image's or artifact's config. @throws OciError UNSUPPORTED, TOO_LARGE */
  async configBytes({ view }: Manifest): Promise<Uint8Array> {
    const { registry, repo, name } = this.place;
    if (view.kind === 'schema1') throw schema1Refused(name);
    if (view.kind !== 'image') throw new OciError('UNSUPPORTED', `${name} has no config: it is not an image`);
    return readConfig(registry, repo, view.config, this.#options);
  }

  /** The parsed config; undefined for an artifact. @throws OciError MANIFEST_INVALID */
  async config(image: Manifest): Promise<ImageConfig | undefined> {
    return hasImageConfig(image.view) ? readImageConfig(await this.configBytes(image)) : undefined;
  }

  /**
   * The entries of the root's index, with attestations under the entry they describe; empty if the root is not an index.
   */
  async entries(): Promise<readonly IndexEntry[]> {
    const { view } = await this.root();
    return view.kind === 'index' ? this.#entriesOf(view, new Set()) : [];
  }

  async #entriesOf(view: IndexView, nested: Set<Digest>): Promise<readonly IndexEntry[]> {
    const about = attestationsIn(view);
    const folded = new Set([...about.values()].flat());
    const entries: IndexEntry[] = [];
    for (const descriptor of view.manifests.filter((entry) => !folded.has(entry))) {
      const inner = isIndexType(descriptor.mediaType) ? await this.#innerOf(descriptor, nested) : [];
      const present = inner !== undefined && (await this.#isPresent(descriptor));
      entries.push({ descriptor, attestations: about.get(descriptor.digest) ?? [], inner: inner ?? [], present });
    }
    return entries;
  }

  /** The entries of an index inside the index; undefined if it is missing, empty if it was shown before. */
  async #innerOf({ digest }: Descriptor, nested: Set<Digest>): Promise<readonly IndexEntry[] | undefined> {
    if (nested.has(digest) || nested.size >= maxNestedIndexes) return [];
    nested.add(digest);
    const read = async (): Promise<readonly IndexEntry[]> => {
      const { view } = await this.manifest(digest);
      return view.kind === 'index' ? await this.#entriesOf(view, nested) : [];
    };
    return unlessUnknown(read(), 'MANIFEST_UNKNOWN');
  }

  /** The entry of an index for the platform, as in {@link image}; undefined if there is none. */
  async choose(view: IndexView): Promise<Descriptor | undefined> {
    const { platform, explicit } = this.#options;
    const get = (entry: Descriptor): Promise<Manifest> => this.manifest(entry.digest);
    if (!this.place.sparse) return findEntry(view, platform, get);
    const present: Descriptor[] = [];
    for (const entry of view.manifests) if (await this.#isPresent(entry)) present.push(entry);
    const found = await findEntry({ ...view, manifests: present }, platform, get);
    if (found) return found;
    if (explicit) throw notHere(this.place, view, present, platform);
    return present.find((entry) => !isAttestation(entry));
  }

  async #isPresent({ digest }: Descriptor): Promise<boolean> {
    const { registry, repo, sparse } = this.place;
    if (!sparse) return true;
    return (await unlessUnknown(registry.statManifest(repo, digest, { signal: this.#options.signal }))) !== undefined;
  }

  /** A manifest of the repository, read once. */
  manifest(reference: Tag | Digest): Promise<Manifest> {
    const known = this.#manifests.get(reference);
    if (known) return known;
    const got = this.place.registry.getManifest(this.place.repo, reference, { signal: this.#options.signal });
    this.#manifests.set(reference, got);
    return got;
  }
}

/** Attestations by the entry of the same index that they describe. */
function attestationsIn({ manifests }: IndexView): ReadonlyMap<Digest, readonly Descriptor[]> {
  const about = new Map<Digest, Descriptor[]>();
  for (const { digest } of manifests.filter((entry) => !isAttestation(entry))) about.set(digest, []);
  for (const entry of manifests.filter(isAttestation)) {
    const subject = attestedDigest(entry);
    if (subject !== undefined) about.get(subject)?.push(entry);
  }
  return about;
}

function notHere({ name }: Place, view: IndexView, present: readonly Descriptor[], platform: Platform): OciError {
  const known = selectPlatform(view.manifests, platform).some((entry) => entry.platform !== undefined);
  const names = (entries: readonly Descriptor[]): string[] =>
    entries.flatMap((entry) => (entry.platform && !isAttestation(entry) ? [formatPlatform(entry.platform)] : []));
  if (!known) return noMatch(view, platform);
  return new OciError('PLATFORM_UNKNOWN', `${name} is here without its image for ${formatPlatform(platform)}`, {
    hint: `it is here for ${[...new Set(names(present))].join(', ') || 'no platform'}`,
  });
}
