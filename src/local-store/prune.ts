import { familiarName, fromStoreName } from '../model/reference/reference.ts';
import { type CollectResult, garbageCollector } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';

/** What a collection did, with the names of images in place of repositories. */
export type Pruned = Omit<CollectResult, 'untagged'> & {
  /** `alpine@sha256:…` */
  readonly untagged: readonly string[];
};

/**
 * Frees what nothing in the local store refers to: images that lost their tag, blobs that no image names, and what pulls
 * and removals left that came to no end. What was pulled by digest stays.
 *
 * @throws OciError STORAGE_DENIED where the store cannot be written
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

/** Of a store that is not there. */
export const nothingCollected: CollectResult = {
  removed: [],
  untagged: [],
  links: 0,
  unfinished: { count: 0, bytes: 0 },
  kept: { inUse: { count: 0, bytes: 0 }, recent: { count: 0, bytes: 0 }, manifests: 0 },
};
