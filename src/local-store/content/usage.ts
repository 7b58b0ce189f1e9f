/** What takes space in the local store. Sizes are in bytes. */
import type { Digest } from '../../model/digest.ts';
import { unlessUnknown } from '../../model/errors.ts';
import { blobEnumerator, type Tally } from '../../registry/extensions.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import type { LocalImage } from '../list.ts';
import { listImages } from '../list.ts';
import { type Pruned, pruneStore } from '../prune.ts';
import { type Survey, surveyStore } from './survey.ts';

/** An image, and how much of it no other image has. Manifests do not count. */
export interface ImageUsage {
  readonly image: LocalImage;
  /** Layers and configs that only this image has; a second name of the same image is no other image. */
  readonly uniqueBytes: number;
  readonly sharedBytes: number;
}

/** A kind of content, and how much of it a prune would free; undefined if that cannot be found out. */
interface UsedSpace extends Tally {
  readonly reclaimableBytes: number | undefined;
}

export interface StoreUsage {
  readonly images: readonly ImageUsage[];
  /** All images with their manifests, each blob once. */
  readonly inImages: UsedSpace;
  /** Layers and configs that several images have: a part of the images. */
  readonly shared: Tally;
  /** Blobs that no image names. */
  readonly unused: UsedSpace;
  /** Downloads and uploads that were not finished, and what killed processes left. */
  readonly unfinished: UsedSpace;
  readonly total: Omit<UsedSpace, 'count'>;
}

/** Adds up what is in the store. Nothing is changed, and no layer is read. */
export async function storeUsage(registry: Registry, { signal }: SignalOption = {}): Promise<StoreUsage> {
  const survey = await surveyStore(registry, { signal });
  const stored = new Map<Digest, number>();
  for await (const { digest, size } of registry.extension(blobEnumerator)?.blobs({ signal }) ?? []) {
    stored.set(digest, size);
  }
  // A dry run marks what it would remove; where nothing may be written, it cannot be told.
  const free = await unlessUnknown(pruneStore(registry, { dryRun: true, signal }), 'STORAGE_DENIED');
  const named = new Set<Digest>([...survey.blobs.keys(), ...survey.manifests.keys()]);
  const inImages = tally(
    [...named].filter((digest) => stored.has(digest)),
    stored,
  );
  const unused = tally(
    [...stored.keys()].filter((digest) => !named.has(digest)),
    stored,
  );
  const several = [...survey.blobs].filter(([digest, { images }]) => images.size > 1 && stored.has(digest));
  const unfinished = free?.unfinished ?? { count: 0, bytes: 0 };
  const reclaimable = (isNamed: boolean): number | undefined => free && removedBytes(free, named, isNamed);
  return {
    images: await imagesOf(registry, survey, stored, { signal }),
    inImages: { count: survey.images.size, bytes: inImages.bytes, reclaimableBytes: reclaimable(true) },
    shared: tally(
      several.map(([digest]) => digest),
      stored,
    ),
    unused: { ...unused, reclaimableBytes: reclaimable(false) },
    unfinished: { ...unfinished, reclaimableBytes: free && unfinished.bytes },
    total: {
      bytes: inImages.bytes + unused.bytes + unfinished.bytes,
      reclaimableBytes: free && removedBytes(free, named, true) + removedBytes(free, named, false) + unfinished.bytes,
    },
  };
}

async function imagesOf(
  registry: Registry,
  { blobs }: Survey,
  stored: ReadonlyMap<Digest, number>,
  opts: SignalOption,
): Promise<readonly ImageUsage[]> {
  const sizes = new Map<Digest, { unique: number; shared: number }>();
  for (const [digest, { images }] of blobs) {
    for (const image of images) {
      const of = sizes.get(image) ?? { unique: 0, shared: 0 };
      sizes.set(image, of);
      of[images.size === 1 ? 'unique' : 'shared'] += stored.get(digest) ?? 0;
    }
  }
  const images: ImageUsage[] = [];
  for await (const image of listImages(registry, opts)) {
    const { unique = 0, shared = 0 } = sizes.get(image.root.digest) ?? {};
    images.push({ image, uniqueBytes: unique, sharedBytes: shared });
  }
  return images;
}

function removedBytes({ removed }: Pruned, named: ReadonlySet<Digest>, isNamed: boolean): number {
  return removed.reduce((sum, { digest, size }) => sum + (named.has(digest) === isNamed ? size : 0), 0);
}

function tally(digests: readonly Digest[], stored: ReadonlyMap<Digest, number>): Tally {
  return { count: digests.length, bytes: digests.reduce((sum, digest) => sum + (stored.get(digest) ?? 0), 0) };
}
