/** Finds what hangs on an image. */
import { type TreeNode, referrersTree as treeOf } from '../artifacts/tree/referrers-tree.ts';
import type { Shape } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { childrenOf } from '../model/manifest/manifest.ts';
import { parsePlatform } from '../model/platform/platform.ts';
import { manifestReference } from '../model/reference/reference.ts';
import { resolveImage } from '../transfer/platforms.ts';
import { type CallOptions, callShape, checkCall, openSession } from './session.ts';

/** How far a call looks. */
export interface ReferrersTreeOptions extends CallOptions {
  /** `linux/arm64`: what hangs on this image of an index. Default: what hangs on the index, and on all its images. */
  readonly platform?: string | undefined;
  /** How many levels are looked for, at least 1. Default: all of them. */
  readonly depth?: number | undefined;
}

const shape: Shape<ReferrersTreeOptions> = { ...callShape, platform: 'string', depth: 'number' };

/**
 * Gives what hangs on an image while it is being found: referrers on all levels, cosign's tags that are named after digests,
 * BuildKit's attestations; of an index also the images, and what hangs on them. A subject is given before what hangs on it.
 *
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_UNKNOWN, PLATFORM_UNKNOWN; TOO_LARGE for more than 100 000 manifests, or
 *   more than 32 levels; what registries throw, see {@link Registry}: a list that cannot be read is never taken for an empty one.
 */
export async function* referrersTree(
  reference: string,
  options: ReferrersTreeOptions = {},
): AsyncGenerator<TreeNode, void, undefined> {
  const asked = checkCall('referrersTree', reference, options, shape);
  const { depth, platform, signal } = options;
  if (depth !== undefined && !(depth >= 1)) {
    throw new OciError('USAGE', 'referrersTree: the option depth must be at least 1');
  }
  await using session = await openSession(options);
  const registry = await session.service.open(asked, 'pull');
  const place = { registry, repo: asked.path };
  const named = manifestReference(asked);
  if (platform === undefined) {
    const root = await registry.statManifest(asked.path, named, { signal });
    return yield* treeOf(place, root, { depth, signal });
  }
  const index = await registry.getManifest(asked.path, named, { signal });
  const from = { ...place, reference: index.descriptor.digest };
  const { descriptor } = await resolveImage(from, parsePlatform(platform), { signal });
  yield* treeOf(place, descriptor, { depth, beside: childrenOf(index.view), signal });
}
