import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { HistoryLine } from '../../model/manifest/image-config.ts';
import { blobsOf, type ManifestView } from '../../model/manifest/manifest.ts';

/** The layers of an image, the blobs of an artifact. */
export function layersOf(view: ManifestView): readonly Descriptor[] {
  if (view.kind === 'image') return view.layers;
  return view.kind === 'artifact' ? view.blobs : [];
}

/** The bytes that a download of all blobs takes; a blob that is named twice counts once. */
export function sizeOf(view: ManifestView): number {
  const sizes = new Map(blobsOf(view).map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** A step of an image's history. */
interface Step {
  /** Absent if the step made no layer. */
  readonly layer?: Descriptor;
  readonly line?: HistoryLine;
}

/**
 * The layers with the history lines that made them, oldest first. If the history does not match the layers, it is
 * unknown which line made which layer: only the layers are returned.
 */
export function stepsOf(layers: readonly Descriptor[], history: readonly HistoryLine[]): readonly Step[] {
  if (history.filter(({ empty }) => !empty).length !== layers.length) return layers.map((layer) => ({ layer }));
  let next = 0;
  return history.map((line) => {
    const layer = line.empty ? undefined : layers[next++];
    return { line, ...(layer && { layer }) };
  });
}
