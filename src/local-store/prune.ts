import { familiarName, fromStoreName } from '../model/reference/reference.ts';
import { type CollectResult, garbageCollector } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';

/** The result of a garbage collection, with image names instead of repositories. */
export type Pruned = Omit<CollectResult, 'untagged'> & {
  /** `alpine@sha256:…` */
  readonly untagged: readonly string[];
};

/**
 * Frees what nothing in the local store refers to: images that lost their tag, blobs without a manifest, and remains of
 * interrupted pulls and removals. Images that were pulled by digest are kept.
 *
 * @throws OciError STORAGE_DENIED if the store is not writable
 */
export async function pruneStore(
  registry: Registry,
  opts: SignalOption & { readonly dryRun?: boolean | undefined } = {},
): Promise<Pruned> {
  const swept = await registry.extension(garbageCollector)?.collect({ ...opts, untagged: true, unfinishedMs: 0 });
  const { untagged, ...rest } = swept ?? nothingCollected;
  return {
    ...rest,
    untagged: untagged.map(({ repo, digest }) => {
      const origin = fromStoreName(repo);
      return `${origin === undefined ? repo : familiarName(origin)}@${digest}`;
    }),
  };
}

/** The result for a store that does not exist. */
export const nothingCollected: CollectResult = {
  removed: [],
  freed: { count: 0, bytes: 0 },
  untagged: [],
  links: 0,
  unfinished: { count: 0, bytes: 0 },
  kept: { inUse: { count: 0, bytes: 0 }, recent: { count: 0, bytes: 0 }, manifests: 0 },
};
