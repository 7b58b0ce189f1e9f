/** Which layers a daemon has, so that they need not be sent. */
import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import type { SignalOption } from '../registry/options.ts';
import type { DaemonClient } from './client.ts';
import { inspectImage, listDaemonImages } from './images.ts';

/** Of more images, the first are asked for. */
const maxImages = 500;
const parallelQuestions = 9;

/** The layers that images of a daemon begin with. */
export class KnownLayers {
  readonly #chains = new Set<string>();

  /** @param layers Digests of unpacked layers, from the lowest on. */
  add(layers: readonly Digest[]): void {
    for (let count = 1; count <= layers.length; count++) this.#chains.add(chainOf(layers, count));
  }

  /** How many of these layers, from the lowest on, the daemon has. */
  countOf(layers: readonly string[]): number {
    let count = 0;
    while (count < layers.length && this.#chains.has(chainOf(layers, count + 1))) count += 1;
    return count;
  }
}

/** Asks a daemon for the layers of its images. */
export async function findKnownLayers(client: DaemonClient, opts?: SignalOption): Promise<KnownLayers> {
  const known = new KnownLayers();
  const images = (await listDaemonImages(client, opts)).slice(0, maxImages).values();
  const ask = async (): Promise<void> => {
    for (const { id } of images) {
      const image = await unlessUnknown(inspectImage(client, id, opts));
      if (image !== undefined) known.add(image.layers);
    }
  };
  await Promise.all(Array.from({ length: parallelQuestions }, ask));
  return known;
}

// A layer is known by what is below it: Docker's chain ID is a hash of this.
function chainOf(layers: readonly string[], count: number): string {
  return layers.slice(0, count).join(' ');
}
