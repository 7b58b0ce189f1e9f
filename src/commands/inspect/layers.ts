import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { HistoryLine } from '../../model/manifest/image-config.ts';
import { blobsOf, type ManifestView } from '../../model/manifest/manifest.ts';

/** The layers of an image, the blobs of an artifact. */
export function layersOf(view: ManifestView): readonly Descriptor[] {
  if (view.kind === 'image') return view.layers;
  return view.kind === 'artifact' ? view.blobs : [];
}

/** Bytes that a download of all blobs takes: one that is named twice counts once. */
export function sizeOf(view: ManifestView): number {
  const sizes = new Map(blobsOf(view).map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** A step in the making of an image. */
interface Step {
  /** Absent where the step made none. */
  readonly layer?: Descriptor;
  readonly line?: HistoryLine;
}

/**
 * The layers and the history lines that made them, oldest first. Where the history does not fit the layers, nobody can
 * say what made which: the layers come alone.
 */
export function stepsOf(layers: readonly Descriptor[], history: readonly HistoryLine[]): readonly Step[] {
  if (history.filter(({ empty }) => !empty).length !== layers.length) return layers.map((layer) => ({ layer }));
  let next = 0;
  return history.map((line) => {
    const layer = line.empty ? undefined : layers[next++];
    return { line, ...(layer && { layer }) };
  });
}
