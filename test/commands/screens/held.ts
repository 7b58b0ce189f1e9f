/** An image whose layers come as far as a test says. */
import { writeFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import type { Digest } from '../../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { type PacedRegistry, paced } from '../../support/paced.ts';
import { startServe } from '../../support/registries.ts';
import { atEnd, sandbox } from '../../support/sandbox.ts';

export const repo = parseRepositoryName('team/app');
export const sizes = [902_000, 3_000_000, 2_100_000, 1_200_000, 3_300_000];

export interface Held {
  readonly registry: PacedRegistry;
  readonly host: string;
  readonly layers: readonly Digest[];
}

/** A registry that holds five layers back, and a client that moves three blobs at once, however fast they are. */
export async function holdLayers(t: TestContext): Promise<Held> {
  const { daemonJson } = await sandbox(t);
  await writeFile(daemonJson, JSON.stringify({ 'max-concurrent-downloads': 3, 'max-concurrent-uploads': 3 }));
  const inner = memoryRegistry();
  const layers = await Promise.all(sizes.map((size, at) => randomLayer(size, `${at}`)));
  await pushImage(inner, repo, parseTag('1'), await buildImage({ layers }));
  const digests = layers.map(({ descriptor }) => descriptor.digest);
  const registry = paced(inner, digests);
  const { host } = await startServe(t, { registry });
  // A server does not end while one of its answers waits.
  atEnd(t, () => registry.release());
  return { registry, host, layers: digests };
}
