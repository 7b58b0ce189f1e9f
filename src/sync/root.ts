import type { Place } from '../places/place.ts';
import { foreignLayers } from '../registry/extensions.ts';
import type { TransferRoot } from '../transfer/options.ts';
import { judgeOnly } from '../transfer/plan/judge-only.ts';
import { isWhole, type LookedAt } from './look.ts';

/** What is transferred for an image: what was looked at, even if its tag has moved since. */
export async function rootOf(image: LookedAt, to: Place): Promise<TransferRoot> {
  const { wanted, manifests, before } = image;
  const { from, source, target } = wanted;
  const { platforms, referrers, digestTags } = source;
  // Of an index that was made for them, nothing is left to choose.
  const byPlatform = platforms.length > 1 && manifests === undefined;
  return {
    from: sourceOf(image),
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

/** Asks the source of an image whether it may be copied. @throws OciError UNTRUSTED */
export async function judgeImage(image: LookedAt, signal: AbortSignal): Promise<void> {
  const { platforms } = image.wanted.source;
  // What was made or chosen for the platforms is copied as it is.
  const chosen = platforms.length === 0 || image.manifests !== undefined;
  await judgeOnly({ from: sourceOf(image), platforms: chosen ? undefined : platforms, signal });
}

function sourceOf({ wanted, found, digest, root, manifests }: LookedAt): TransferRoot['from'] {
  const { registry, repo, sparse } = wanted.from;
  const asked = { reference: wanted.reference, digest: found };
  return { registry, repo, sparse, reference: digest, root, asked, manifests };
}
