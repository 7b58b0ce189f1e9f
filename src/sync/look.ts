/** Looks at both sides of an image: one HEAD each, which no registry counts as a pull. */
import type { Digest } from '../model/digest.ts';
import { OciError, unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import type { Place } from '../places/place.ts';
import { kindOf } from '../places/places.ts';
import { admission } from '../registry/admission.ts';
import { isIndex, subsetOf } from '../transfer/choose/subset.ts';
import { digestAt } from '../transfer/digest-at.ts';
import { resolveImage } from '../transfer/platforms.ts';
import type { PlanOptions } from './plan-options.ts';
import type { Wanted } from './select.ts';

/** An image of which both sides are known. */
export interface LookedAt {
  readonly wanted: Wanted;
  /** What its name stands for at the source, or in the lock file. */
  readonly found: Digest;
  /** What is copied: `found`, the image of one platform, or an index of the images for several. */
  readonly digest: Digest;
  /** The descriptor of `digest`, if it is known. */
  readonly root?: Descriptor | undefined;
  /** Manifests that were read or made, if they are needed to copy it. */
  readonly manifests?: readonly Manifest[] | undefined;
  /** Undefined if the destination does not exist yet, and is not created. */
  readonly to: Place | undefined;
  /** What the destination has under the name; undefined if it has nothing. */
  readonly before: Digest | undefined;
}

type Found = Pick<LookedAt, 'found' | 'digest' | 'root' | 'manifests'>;

/** @returns A function that looks at an image, once at each of its sides: several may come from the same. */
export function lookAt(options: PlanOptions): (wanted: Wanted) => Promise<LookedAt | 'gone'> {
  const { places, signal } = options;
  const sources = new Map<string, Promise<Found | undefined>>();
  const atSource = (wanted: Wanted): Promise<Found | undefined> => {
    const key = JSON.stringify([wanted.name, wanted.source.platforms, isWhole(wanted.target)]);
    const known = sources.get(key) ?? places.ask(wanted.source.host, () => findSource(wanted, options));
    sources.set(key, known);
    return known;
  };
  return async (wanted) => {
    const { target, listed, reference } = wanted;
    const lookThere = async (): Promise<Pick<LookedAt, 'to' | 'before'>> => {
      const to = await places.target(target);
      const name = target.tag ?? reference;
      const before = to && (await places.ask(target.place, () => digestAt(to, to.tag ?? name, signal)));
      return { to, before };
    };
    const [found, there] = await Promise.allSettled([atSource(wanted), lookThere()]);
    if (found.status === 'rejected') throw found.reason;
    if (there.status === 'rejected') throw there.reason;
    if (found.value) {
      // A policy judges also what is there, and then needs them.
      const isJudged = wanted.from.registry.extension(admission) !== undefined;
      const isThere = found.value.digest === there.value.before && !isJudged;
      return { wanted, ...found.value, ...there.value, ...(isThere && { manifests: undefined }) };
    }
    if (listed) return 'gone';
    throw new OciError('MANIFEST_UNKNOWN', `${wanted.name} is not there`, {
      hint: `ocictl tags ${wanted.from.repository} lists what there is`,
    });
  };
}

async function findSource(
  { from, reference, name, source: { platforms }, target }: Wanted,
  { lock, signal }: PlanOptions,
): Promise<Found | undefined> {
  const { registry, repo } = from;
  const locked = lock.get(name);
  if (platforms.length === 0 && locked !== undefined) return { found: locked, digest: locked };
  const root = await unlessUnknown(registry.statManifest(repo, locked ?? reference, { signal }));
  if (!root) return undefined;
  const found = root.digest;
  const [platform, another] = platforms;
  if (platform && !another) {
    const image = await resolveImage({ ...from, reference: found }, platform, { signal });
    return chosen(found, image, [image]);
  }
  if (!platform || !isWhole(target)) return { found, digest: found, root };
  const index = await registry.getManifest(repo, found, { signal });
  if (!isIndex(index)) return { found, digest: found, root };
  const get = (entry: Descriptor): Promise<Manifest> => registry.getManifest(repo, entry.digest, { signal });
  const subset = await subsetOf(index, platforms, get);
  return chosen(found, subset.root, subset.root === index ? [index] : subset.made);
}

function chosen(found: Digest, { descriptor }: Manifest, manifests: readonly Manifest[]): Found {
  return { found, digest: descriptor.digest, root: descriptor, manifests };
}

/** Whether a destination takes no index without its images. */
export function isWhole({ place }: Wanted['target']): boolean {
  return kindOf(place).incomplete === 'never';
}
