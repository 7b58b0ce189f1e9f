import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import { inOrder } from '../model/in-order.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { childrenOf, type Manifest } from '../model/manifest/manifest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from './registry.ts';

const readAtOnce = 8;

interface BelowOptions extends SignalOption {
  /** Where there are more, they are given without what is below them. */
  readonly most: number;
  /** Whether entries are given that are not there; otherwise they are an error. Default false. */
  readonly sparse?: boolean;
}

/** A manifest and, of an index, everything below it, each once, level by level. @throws what reading throws */
export async function manifestsBelow(
  { registry, repo }: { readonly registry: Registry; readonly repo: RepositoryName },
  root: Manifest,
  { most, sparse = false, signal }: BelowOptions,
): Promise<ReadonlyMap<Digest, Descriptor>> {
  const found = new Map<Digest, Descriptor>([[root.descriptor.digest, root.descriptor]]);
  const read = (digest: Digest): Promise<Manifest | undefined> => {
    const reading = registry.getManifest(repo, digest, { signal });
    return sparse ? unlessUnknown(reading) : reading;
  };
  for (let level: readonly Manifest[] = [root]; level.length > 0; ) {
    const entries = level.flatMap(({ view }) => childrenOf(view)).filter(({ digest }) => !found.has(digest));
    for (const entry of entries) found.set(entry.digest, entry);
    if (found.size > most) return found;
    const below: Manifest[] = [];
    for await (const child of inOrder(new Set(entries.map(({ digest }) => digest)), readAtOnce, read)) {
      if (!child) continue;
      found.set(child.descriptor.digest, child.descriptor);
      below.push(child);
    }
    level = below;
  }
  return found;
}
