/** Makes one layer of several. */
import type { LayerCompression } from '../archive/envelope/compress.ts';
import { layerForm } from '../convert/layer-types.ts';
import { exportTar } from '../image/export.ts';
import { ImageFiles } from '../image/image-files.ts';
import { ImageLayers } from '../image/layers/image-layers.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import type { DraftLayer, ImageDraft } from './image-draft.ts';
import { layerFor, layerOfTar } from './layer/make-layer.ts';
import { squashedTar } from './layer/squashed.ts';

interface SquashOptions extends SignalOption {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** The lowest layer that becomes part of the new one, from 1. */
  readonly from: number;
  /** What is said of the new layer in the history. */
  readonly createdBy: string;
  /** Default: that of the layers, or gzip. */
  readonly compression?: LayerCompression | undefined;
  /** Whether layers come over a network: then each is kept in a temporary file meanwhile. */
  readonly remote: boolean;
  /** Told of entries that no layer can hold. */
  readonly onSkip: (text: string) => void;
}

/** @throws OciError USAGE for a layer that there is not; UNSUPPORTED for layers that cannot be read; what reading them throws. */
export async function squashLayers(draft: ImageDraft, options: SquashOptions): Promise<void> {
  const { registry, repo, createdBy, signal } = options;
  const from = options.from - 1;
  const layers = draft.layers;
  if (from >= layers.length && layers.length > 0) {
    throw new OciError('USAGE', `the image has ${layers.length} layers, and no layer ${options.from}`, {
      hint: 'the lowest is layer 1; ocictl history lists them',
    });
  }
  if (layers.length - from <= 1) return;
  refuseUnreadable(layers);
  const descriptors = layers.map(({ descriptor }) => descriptor);
  using opened = new ImageLayers({ registry, repo, layers: descriptors, reread: options.remote, signal });
  const name = `image ${draft.original.descriptor.digest}`;
  const files = new ImageFiles({ layers: opened, name, onSkip: options.onSkip });
  const tar = from === 0 ? exportTar(files) : squashedTar(files, from);
  const compression = options.compression ?? { kind: 'gzip' as const };
  const made = await layerOfTar(tar, { shown: name, compression, signal });
  draft.setLayers([...layers.slice(0, from), layerFor(draft, made)], historyOf(draft, from, createdBy));
}

/** Lines for the layers that stay, then those without a layer, then that of the new one. */
function historyOf(draft: ImageDraft, from: number, createdBy: string): readonly string[] | undefined {
  const { history, created } = draft.before;
  const steps = history.filter(({ empty }) => !empty).length;
  if (history.length === 0 || steps !== draft.layers.length) return undefined;
  let layer = 0;
  const kept = draft.history.filter((_, i) => {
    if (history[i]?.empty) return true;
    layer += 1;
    return layer <= from;
  });
  return [...kept, JSON.stringify({ ...(created !== undefined && { created }), created_by: createdBy })];
}

function refuseUnreadable(layers: readonly DraftLayer[]): void {
  for (const [i, { descriptor }] of layers.entries()) {
    const { mediaType, digest } = descriptor;
    if (layerForm(mediaType)) continue;
    const isEncrypted = mediaType.endsWith('+encrypted');
    throw new OciError(
      'UNSUPPORTED',
      `layer ${i + 1} of the image, ${digest}, cannot be read: it ${isEncrypted ? 'is encrypted' : `has the type ${quote(mediaType)}`}`,
      { hint: isEncrypted ? 'decrypt the image first with the program that encrypted it' : undefined },
    );
  }
}
