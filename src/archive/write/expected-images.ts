/** Collects what a transfer will bring to an archive, before its first byte. */
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { hasImageConfig } from '../../model/manifest/image-config.ts';
import { childrenOf, type ImageView, type Manifest, schema1Refused } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { isAttestation, selectPlatform } from '../../model/platform/platform-selection.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { ExpectedImage } from '../../registry/expected-content.ts';
import type { SignalOption } from '../../registry/registry.ts';

/** The manifests of all images are in memory until the archive is written. */
const maxManifestBytes = 64 * 1024 * 1024;
const maxDepth = 16;
/** Blobs that are looked up at once where an archive will be read. */
const askedAtOnce = 16;

/** Whether the reader of an archive has a blob. */
export type HasBlob = (digest: Digest, opts?: SignalOption) => Promise<boolean>;

/** A manifest that readers of the archive find without another one that names it. */
export interface RootEntry {
  readonly descriptor: Descriptor;
  readonly artifactType: string | undefined;
  readonly name: Tag | undefined;
}

/** The image that a name means to readers that know no index. */
interface RunnableImage {
  readonly names: readonly Tag[];
  readonly view: ImageView;
}

/** All images that an archive will hold. */
export class ExpectedImages {
  /** Sizes of all blobs and manifests that will be in the archive, in bytes. */
  readonly sizes = new Map<Digest, number>();
  /** Sizes of blobs that are left out; undefined if everything is in the archive. */
  omitted: ReadonlyMap<Digest, number> | undefined;
  readonly #manifests = new Set<Digest>();
  readonly #platform: Platform;
  readonly #roots = new Map<string, RootEntry>();
  readonly #runnable = new Map<Digest, { readonly view: ImageView; readonly names: Set<Tag> }>();
  #manifestBytes = 0;

  /** @param platform Which image of an index {@link runnable} has. */
  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** @throws OciError UNSUPPORTED for schema 1; TOO_LARGE. */
  add({ root, names, manifests, blobs }: ExpectedImage): void {
    const byDigest = new Map(manifests.map((manifest) => [manifest.descriptor.digest, manifest]));
    for (const { descriptor, view } of manifests) {
      if (view.kind === 'schema1') throw schema1Refused(String(names.get(root.digest)?.[0] ?? root.digest));
      if (!this.sizes.has(descriptor.digest)) this.#count(descriptor.size);
      this.sizes.set(descriptor.digest, descriptor.size);
      this.#manifests.add(descriptor.digest);
      const own = names.get(descriptor.digest) ?? [];
      for (const name of own) this.#addRoot(descriptor, view.artifactType, name);
      // Referrers are found by their subject, so readers have to come across them.
      const isRoot = descriptor.digest === root.digest || view.subject !== undefined;
      if (isRoot && own.length === 0) this.#addRoot(descriptor, view.artifactType, undefined);
    }
    for (const { digest, size } of blobs) this.sizes.set(digest, size);
    const image = this.#runnableIn(byDigest.get(root.digest), byDigest, 0);
    if (!image) return;
    const known = this.#runnable.get(image.digest) ?? { view: image.view, names: new Set<Tag>() };
    for (const tag of names.get(root.digest) ?? []) known.names.add(tag);
    this.#runnable.set(image.digest, known);
  }

  /** Leaves out blobs that the reader of the archive has. It gets all manifests, which say what it needs. */
  async leaveOut(hasBlob: HasBlob, opts?: SignalOption): Promise<void> {
    const omitted = new Map<Digest, number>();
    const blobs = [...this.sizes].filter(([digest]) => !this.#manifests.has(digest));
    while (blobs.length > 0) {
      const asked = blobs.splice(0, askedAtOnce);
      const answers = await Promise.all(asked.map(([digest]) => hasBlob(digest, opts)));
      for (const [i, [digest, size]] of asked.entries()) if (answers[i]) omitted.set(digest, size);
    }
    for (const digest of omitted.keys()) this.sizes.delete(digest);
    this.omitted = omitted;
  }

  /** Sorted by name: images are looked up at once, so they come in any order. */
  get roots(): readonly RootEntry[] {
    return [...this.#roots.entries()].sort(byKey).map(([, entry]) => entry);
  }

  /** One image of each root that is one or has one, sorted by name. */
  get runnable(): readonly RunnableImage[] {
    const images = [...this.#runnable.entries()].map(([digest, { view, names }]) => {
      const sorted = [...names].sort();
      return [`${sorted[0] ?? ''} ${digest}`, { view, names: sorted }] as const;
    });
    return images.sort(byKey).map(([, image]) => image);
  }

  #count(bytes: number): void {
    this.#manifestBytes += bytes;
    if (this.#manifestBytes <= maxManifestBytes) return;
    throw new OciError('TOO_LARGE', `the manifests of these images have more than ${maxManifestBytes} bytes in all`, {
      hint: 'write several archives with fewer images each',
    });
  }

  #addRoot(descriptor: Descriptor, artifactType: string | undefined, name: Tag | undefined): void {
    this.#roots.set(`${name ?? ''} ${descriptor.digest}`, { descriptor, artifactType, name });
  }

  #runnableIn(
    manifest: Manifest | undefined,
    all: ReadonlyMap<Digest, Manifest>,
    depth: number,
  ): { readonly digest: Digest; readonly view: ImageView } | undefined {
    if (!manifest || depth > maxDepth) return undefined;
    const { view, descriptor } = manifest;
    if (view.kind === 'image') return hasImageConfig(view) ? { digest: descriptor.digest, view } : undefined;
    const entries = childrenOf(view);
    // The image for the wanted platform, otherwise the first that is there.
    for (const entry of [...selectPlatform(entries, this.#platform), ...entries.filter((one) => !isAttestation(one))]) {
      const found = this.#runnableIn(all.get(entry.digest), all, depth + 1);
      if (found) return found;
    }
    return undefined;
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
