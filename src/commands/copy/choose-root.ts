/** Chooses what of the source is copied. */
import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { connecting } from '../../registry/extensions.ts';
import { resolveImage } from '../../transfer/platforms.ts';
import { choosePushed, reducedNote } from '../../transfer/pushed.ts';
import { isIndex, subsetOf } from '../../transfer/subset.ts';
import type { TransferRoot } from '../../transfer/transfer.ts';

interface ChosenRoot extends Pick<TransferRoot['from'], 'manifests'> {
  readonly root: Descriptor;
  /** If only one image of the index is at the source: that image, and a note about it. */
  readonly reduced?: Pick<ChosenRoot, 'root' | 'manifests'> & { readonly note: string };
  /** The index of the source, if the root is a smaller one. */
  readonly rewrittenFrom?: Digest;
  /** Whether the transfer chooses the images for the platforms, and leaves the index as it is. */
  readonly byEngine: boolean;
}

interface Choice {
  /** `all`: a source that lacks some images is an error. None: the whole index. */
  readonly platforms: readonly Platform[] | 'all';
  /** The platform of the destination, if it has one: chosen if none was named. */
  readonly own?: Platform | undefined;
  /** Whether the index stays as it is, also for one platform. */
  readonly sparse: boolean;
  /** Whether an index of the images for several platforms is made. */
  readonly subset: boolean;
}

/** Chooses what is copied: the image of one platform, the index of several, otherwise what the reference names. */
export async function chooseRoot(
  source: Place,
  { platforms, own, sparse, subset }: Choice,
  signal: AbortSignal,
): Promise<ChosenRoot> {
  const { registry, repo, reference, name } = source;
  registry.extension(connecting)?.expectMany();
  const [platform, another] = platforms === 'all' ? [] : platforms;
  if (platform && !another && !sparse) return chosen(await resolveImage(source, platform, { signal }));
  if (another && subset && platforms !== 'all') return await chooseSubset(source, platforms, signal);
  if (own && platforms !== 'all' && !platform) {
    // Nobody asked for it: an image without an index may be for another.
    return chosen(await resolveImage(source, own, { signal, requirePlatform: false }));
  }
  // HEAD first (registries do not count it as a pull): the destination, which is asked meanwhile, may have the manifest.
  const root = await readFrom(source, () => registry.statManifest(repo, reference, { signal }));
  const byEngine = platform !== undefined;
  if (platforms === 'all' || byEngine || !source.sparse) return { root, byEngine };
  const pushed = await choosePushed({ ...source, reference: root.digest }, undefined, { signal });
  const note = reducedNote(name, 'copying', pushed);
  if (note === undefined) return { root, byEngine };
  return { root, byEngine, reduced: { root: await registry.statManifest(repo, pushed.digest, { signal }), note } };
}

/** Chooses once for all destinations that want the same. */
export function chooseRootOnce(): typeof chooseRoot {
  const chosen = new Map<string, ReturnType<typeof chooseRoot>>();
  return (source, choice, signal) => {
    const key = JSON.stringify([choice.subset, choice.own]);
    const choosing = chosen.get(key) ?? chooseRoot(source, choice, signal);
    chosen.set(key, choosing);
    return choosing;
  };
}

async function chooseSubset(source: Place, platforms: readonly Platform[], signal: AbortSignal): Promise<ChosenRoot> {
  const { registry, repo, reference } = source;
  const index = await readFrom(source, () => registry.getManifest(repo, reference, { signal }));
  if (!isIndex(index)) return { ...chosen(index), byEngine: true };
  const get = (entry: Descriptor): Promise<Manifest> => registry.getManifest(repo, entry.digest, { signal });
  const { root, made } = await subsetOf(index, platforms, get);
  if (root === index) return chosen(index);
  const { digest: rewrittenFrom } = index.descriptor;
  return { root: root.descriptor, manifests: made, rewrittenFrom, byEngine: false };
}

function chosen(manifest: Manifest): ChosenRoot {
  return { root: manifest.descriptor, manifests: [manifest], byEngine: false };
}
