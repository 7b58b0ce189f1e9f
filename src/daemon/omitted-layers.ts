import type { ExpectedImages } from '../archive/write/expected-images.ts';
import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { readImageConfig } from '../model/manifest/image-config.ts';
import { readContent } from '../registry/content.ts';
import type { ExpectedImage } from '../registry/expected-content.ts';
import type { SignalOption } from '../registry/registry.ts';
import type { DaemonClient } from './client.ts';
import { keepsManifests } from './images.ts';
import { findKnownLayers, type KnownLayers } from './known-layers.ts';

/** The largest config that is read, in bytes. */
const maxConfigBytes = 4 * 1024 * 1024;

/**
 * Layers of images that a daemon needs not be sent, because images of it begin with the same layers. None for a daemon that
 * keeps images as a registry does: it needs all blobs that a manifest names.
 */
export async function findOmittedLayers(
  client: DaemonClient,
  images: ExpectedImages['runnable'],
  expected: readonly ExpectedImage[],
  opts?: SignalOption,
): Promise<ReadonlyMap<Digest, Descriptor>> {
  if (await keepsManifests(client, opts)) return new Map();
  const known = await findKnownLayers(client, opts);
  const omitted = new Map<Digest, Descriptor>();
  const needed = new Set<Digest>();
  for (const { view } of images) {
    const count = await knownCount(view, known, expected, opts);
    for (const [at, layer] of view.layers.entries()) {
      if (at < count) omitted.set(layer.digest, layer);
      else needed.add(layer.digest);
    }
  }
  // What one image needs not, another may, on top of other layers; and images that are only in an index are sent whole.
  const others = expected.flatMap(({ blobs }) => blobs).filter(({ digest }) => !inAny(images, digest));
  for (const digest of [...needed, ...others.map((blob) => blob.digest)]) omitted.delete(digest);
  return omitted;
}

async function knownCount(
  view: ExpectedImages['runnable'][number]['view'],
  known: KnownLayers,
  expected: readonly ExpectedImage[],
  opts?: SignalOption,
): Promise<number> {
  const { config, layers } = view;
  const image = expected.find(({ blobs }) => blobs.some(({ digest }) => digest === config.digest));
  if (image === undefined || config.size > maxConfigBytes) return 0;
  const { diffIds } = readImageConfig(await readContent(await image.open(config, opts), maxConfigBytes));
  return diffIds.length === layers.length ? known.countOf(diffIds) : 0;
}

function inAny(images: ExpectedImages['runnable'], wanted: Digest): boolean {
  return images.some(({ view }) => view.layers.some(({ digest }) => digest === wanted));
}
