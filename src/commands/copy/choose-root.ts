/** Chooses what of the source is copied. */
import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { connecting } from '../../registry/extensions.ts';
import { choosePushed, reducedNote } from '../../transfer/choose/pushed.ts';
import { isIndex, subsetOf } from '../../transfer/choose/subset.ts';
import { resolveImage } from '../../transfer/platforms.ts';
import type { TransferRoot } from '../../transfer/transfer.ts';

interface ChosenRoot extends Pick<TransferRoot['from'], 'manifests'> {
  readonly root: Descriptor;
  /** What the reference stood for: the root, or the index that it was chosen from or made of. */
  readonly named: Digest;
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
  const one = async (wanted: Platform, opts: { readonly requirePlatform?: boolean } = {}): Promise<ChosenRoot> => {
    const named = await registry.getManifest(repo, reference, { signal });
    return chosen(await resolveImage(source, wanted, { signal, root: named, ...opts }), named);
  };
  if (platform && !another && !sparse) return await one(platform);
  if (another && subset && platforms !== 'all') return await chooseSubset(source, platforms, signal);
  if (own && platforms !== 'all' && !platform) {
    // Nobody asked for it: an image without an index may be for another.
    return await one(own, { requirePlatform: false });
  }
  // HEAD first (registries do not count it as a pull): the destination, which is asked meanwhile, may have the manifest.
  const root = await readFrom(source, () => registry.statManifest(repo, reference, { signal }));
  const [byEngine, named] = [platform !== undefined, root.digest];
  if (platforms === 'all' || byEngine || !source.sparse) return { root, named, byEngine };
  const pushed = await choosePushed({ ...source, reference: root.digest }, undefined, { signal });
  const note = reducedNote(name, 'copying', pushed);
  if (note === undefined) return { root, named, byEngine };
  return {
    root,
    named,
    byEngine,
    reduced: { root: await registry.statManifest(repo, pushed.digest, { signal }), note },
  };
}

/** Chooses once for all destinations that want the same. */
export function chooseRootOnce(): typeof chooseRoot {
  const chosen = new Map<string, ReturnType<typeof chooseRoot>>();
  return (source, choice, signal) => {
    const key = JSON.stringify([source.reference, choice.subset, choice.own]);
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
  return { root: root.descriptor, named: rewrittenFrom, manifests: made, rewrittenFrom, byEngine: false };
}

function chosen(manifest: Manifest, named = manifest): ChosenRoot {
  return { root: manifest.descriptor, named: named.descriptor.digest, manifests: [manifest], byEngine: false };
}
