import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import { blobsOf, childrenOf, type ManifestView } from '../model/manifest/manifest.ts';
import { familiarName, fromStoreName, type RepositoryName } from '../model/reference/reference.ts';
import { manifestEnumerator, type Tally } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { soundDigest } from '../registry/tags.ts';
import { entriesWhileThere } from './vanished.ts';

/** Layers of a removed image that were kept. */
export interface KeptLayers extends Tally {
  /** An image that uses them; undefined if a running process relies on them. */
  readonly usedBy: string | undefined;
}

/** Why layers of removed manifests were kept: grouped by the first image found that uses them, the largest group first. */
export async function keptLayers(
  registry: Registry,
  { views, gone, opts }: { views: readonly ManifestView[]; gone: ReadonlySet<Digest>; opts: SignalOption },
): Promise<readonly KeptLayers[]> {
  const sizes = new Map<Digest, number>();
  for (const view of views) {
    if (view.kind !== 'image') continue;
    for (const { digest, size } of view.layers) if (!gone.has(digest)) sizes.set(digest, size);
  }
  const left = new Set(sizes.keys());
  const kept: KeptLayers[] = [];
  for await (const { name, view } of namedManifests(registry, left, opts)) {
    const used = [...new Set(blobsOf(view).map(({ digest }) => digest))].filter((digest) => left.delete(digest));
    const bytes = used.reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
    if (used.length > 0) kept.push({ count: used.length, bytes, usedBy: name });
  }
  return kept.sort((a, b) => b.count - a.count);
}

// Ends as soon as no digest is wanted any more.
async function* namedManifests(
  registry: Registry,
  wanted: ReadonlySet<Digest>,
  opts: SignalOption,
): AsyncGenerator<{ readonly name: string; readonly view: ManifestView }> {
  if (wanted.size === 0) return;
  for await (const repo of registry.repositories(opts)) {
    const origin = fromStoreName(repo);
    const manifests = await readAll(registry, repo, opts);
    const names = await tagNames(registry, repo, manifests, opts);
    for (const [digest, view] of manifests) {
      const name = names.get(digest);
      if (view === undefined) continue;
      yield { name: `${origin === undefined ? repo : familiarName(origin)}${name ?? `@${digest}`}`, view };
      if (wanted.size === 0) return;
    }
  }
}

async function tagNames(
  registry: Registry,
  repo: RepositoryName,
  manifests: ReadonlyMap<Digest, ManifestView | undefined>,
  opts: SignalOption,
): Promise<ReadonlyMap<Digest, string>> {
  const names = new Map<Digest, string>();
  const name = (digest: Digest, text: string): void => {
    if (names.has(digest)) return;
    names.set(digest, text);
    const view = manifests.get(digest);
    for (const child of view === undefined ? [] : childrenOf(view)) name(child.digest, text);
  };
  for await (const tag of entriesWhileThere(registry.tags(repo, opts))) {
    const digest = await soundDigest(registry, repo, tag, opts);
    if (digest !== undefined) name(digest, `:${tag}`);
  }
  return names;
}

/**
 * All manifests of a repository. A damaged manifest is undefined: nothing is kept for it, and it can be removed by its
 * digest.
 */
export async function readAll(
  registry: Registry,
  repo: RepositoryName,
  opts: SignalOption,
): Promise<Map<Digest, ManifestView | undefined>> {
  const manifests = new Map<Digest, ManifestView | undefined>();
  const enumerator = registry.extension(manifestEnumerator);
  if (enumerator === undefined) return manifests;
  for await (const digest of entriesWhileThere(enumerator.manifests(repo, opts))) {
    const read = registry.getManifest(repo, digest, opts);
    manifests.set(digest, (await unlessUnknown(read, 'STORAGE_DAMAGED', 'MANIFEST_INVALID', 'MANIFEST_UNKNOWN'))?.view);
  }
  return manifests;
}
