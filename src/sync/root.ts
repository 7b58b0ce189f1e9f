import type { Place } from '../places/place.ts';
import { foreignLayers } from '../registry/extensions.ts';
import type { TransferRoot } from '../transfer/options.ts';
import { isWhole, type LookedAt } from './look.ts';

/** What is transferred for an image: what was looked at, even if its tag has moved since. */
export async function rootOf({ wanted, digest, root, manifests, before }: LookedAt, to: Place): Promise<TransferRoot> {
  const { from, source, target } = wanted;
  const { platforms, referrers, digestTags } = source;
  // Of an index that was made for them, nothing is left to choose.
  const byPlatform = platforms.length > 1 && manifests === undefined;
  return {
    from: { registry: from.registry, repo: from.repo, sparse: from.sparse, reference: digest, root, manifests },
    to: {
      registry: to.registry,
      repo: to.repo,
      sparse: to.sparse,
      tags: target.tag === undefined || to.tag === undefined ? [] : [to.tag],
      host: to.hosted?.domain,
      ...(isWhole(target) && target.tag !== undefined && { seen: { digest: before } }),
    },
    mountFrom: to.hosted && (await from.mountFrom(to.hosted)),
    ...(byPlatform ? { platforms, requirePlatform: true } : { whole: to.kind.incomplete !== 'usual' }),
    foreignLayers: to.kind.own || to.registry.extension(foreignLayers)?.accepted === true ? 'copy' : 'skip',
    referrers,
    digestTags,
  };
}
