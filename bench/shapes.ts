import { loadSettings } from '../src/config/settings.ts';
import { parseReference } from '../src/model/reference/reference.ts';
import { createRegistryService } from '../src/service/create-service.ts';
import { buildImage, pushImage } from '../test/support/images.ts';
import { randomLayer } from '../test/support/layer.ts';
import { type Bench, scaled, titled } from './context.ts';

/** Images to move: so many, of so many layers, of so many bytes. */
export interface Shape {
  readonly name: string;
  readonly title: string;
  readonly images: number;
  readonly layers: number;
  readonly layerBytes: number;
}

const all: readonly Shape[] = [
  { name: '5-layers', title: '1 GB in 5 layers', images: 1, layers: 5, layerBytes: 200e6 },
  { name: '1-layer', title: '1 GB in 1 layer', images: 1, layers: 1, layerBytes: 1e9 },
  { name: '200-layers', title: '200 layers of 100 KB', images: 1, layers: 200, layerBytes: 100e3 },
  { name: '50-images', title: '50 images of 2 layers of 50 KB', images: 50, layers: 2, layerBytes: 50e3 },
];

/** The shapes that were asked for, at the bench's scale. */
export function shapesOf(bench: Pick<Bench, 'images' | 'scale'>): Shape[] {
  return all
    .filter(({ name }) => bench.images.length === 0 || bench.images.some((word) => name.includes(word)))
    .map((shape) => ({
      ...shape,
      title: titled(bench, shape.title),
      images: shape.images > 1 ? scaled(bench, shape.images) : 1,
      layers: shape.layers > 5 ? scaled(bench, shape.layers) : shape.layers,
      layerBytes: scaled(bench, shape.layerBytes),
    }));
}

/** Tags of one repository that hold a shape's images. */
export function tagsOf({ images }: Pick<Shape, 'images'>): string[] {
  return Array.from({ length: images }, (_, i) => `v${i + 1}`);
}

/** Makes the images and pushes them, with no program that is measured later. */
export async function fill(host: string, path: string, shape: Omit<Shape, 'title'>): Promise<void> {
  const settings = await loadSettings({ env: {} });
  const service = createRegistryService({ settings, warn: () => {}, userAgent: 'ocictl-bench' });
  try {
    for (const tag of tagsOf(shape)) {
      const reference = parseReference(`${host}/${path}:${tag}`);
      const seeds = Array.from({ length: shape.layers }, (_, i) => `${shape.name}-${tag}-${i}`);
      const layers = await Promise.all(seeds.map((seed) => randomLayer(shape.layerBytes, seed)));
      const registry = await service.open(reference, 'push');
      await pushImage(registry, reference.path, reference.tag, await buildImage({ layers }));
    }
  } finally {
    await service.close();
  }
}
