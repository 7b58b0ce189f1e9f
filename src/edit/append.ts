/** Adds layers on top of an image. */
import { digestBytes } from '../model/digest.ts';
import { JsonText } from '../model/json-text.ts';
import { readManifest } from '../model/manifest/manifest.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';
import { type Platform, platformObject } from '../model/platform/platform.ts';
import { parseRepositoryName } from '../model/reference/reference.ts';
import { bytesSource } from '../registry/content.ts';
import { madeRegistry } from '../registry/wrappers/made.ts';
import type { ImageDraft } from './image-draft.ts';
import { layerFor, type MadeLayer } from './layer/make-layer.ts';

interface AppendOptions {
  /** What is said of each layer in the history. */
  readonly createdBy: string;
  /** RFC 3339; undefined: that is not said. */
  readonly created?: string | undefined;
}

/** @throws OciError UNSUPPORTED for layers in zstd and an image in Docker's format. */
export function appendLayers(draft: ImageDraft, layers: readonly MadeLayer[], options: AppendOptions): void {
  const before = draft.layers;
  const after = [...before, ...layers.map((layer) => layerFor(draft, layer))];
  draft.setLayers(after, historyWith(draft, layers.length, options));
}

/** One line for each layer, if the image has such lines: of an image without them, nobody could tell which is for which. */
function historyWith(
  draft: ImageDraft,
  added: number,
  { createdBy, created }: AppendOptions,
): readonly string[] | undefined {
  const { history } = draft.before;
  const steps = history.filter(({ empty }) => !empty).length;
  if (steps !== draft.layers.length) return history.length === 0 ? undefined : draft.history;
  const line = JSON.stringify({ ...(created !== undefined && { created }), created_by: createdBy });
  return [...draft.history, ...Array.from({ length: added }, () => line)];
}

/** An image without layers, to begin with. */
export async function emptyImage(platform: Platform, created: string | undefined) {
  const config = JsonText.of({
    ...(created !== undefined && { created }),
    ...platformObject(platform),
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  }).bytes;
  const descriptor = { mediaType: mediaTypes.ociConfig, digest: await digestBytes(config), size: config.length };
  const text = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [] });
  const manifest = await readManifest({ mediaType: mediaTypes.ociManifest, bytes: Buffer.from(text) });
  const blobs = [{ descriptor, source: bytesSource(descriptor, config) }];
  const registry = madeRegistry({ name: 'the image', manifests: [manifest], blobs });
  return { registry, repo: parseRepositoryName('image'), reference: manifest.descriptor.digest, sparse: false };
}
