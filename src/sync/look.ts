/** Looks at both sides of an image: one HEAD each, which no registry counts as a pull. */
import type { Digest } from '../model/digest.ts';
import { OciError, unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Place } from '../places/place.ts';
import { digestAt } from '../transfer/digest-at.ts';
import { resolveImage } from '../transfer/platforms.ts';
import type { PlanOptions } from './plan-options.ts';
import type { Wanted } from './select.ts';

/** An image of which both sides are known. */
export interface LookedAt {
  readonly wanted: Wanted;
  /** What its name stands for at the source, or in the lock file. */
  readonly found: Digest;
  /** What is copied: `found`, or the image of one platform. */
  readonly digest: Digest;
  /** The descriptor of `digest`, if it is known. */
  readonly root: Descriptor | undefined;
  /** Undefined if the destination does not exist yet, and is not created. */
  readonly to: Place | undefined;
  /** What the destination has under the name; undefined if it has nothing. */
  readonly before: Digest | undefined;
}

type Found = Pick<LookedAt, 'found' | 'digest' | 'root'>;

/** @returns A function that looks at an image, once at each of its sides: several may come from the same. */
export function lookAt({ places, lock, signal }: PlanOptions): (wanted: Wanted) => Promise<LookedAt | 'gone'> {
  const sources = new Map<string, Promise<Found | undefined>>();
  const atSource = (wanted: Wanted): Promise<Found | undefined> => {
    const key = JSON.stringify([wanted.name, wanted.source.platforms]);
    const known = sources.get(key) ?? places.ask(wanted.source.host, () => findSource(wanted, lock, signal));
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
    if (found.value) return { wanted, ...found.value, ...there.value };
    if (listed) return 'gone';
    throw new OciError('MANIFEST_UNKNOWN', `${wanted.name} is not there`, {
      hint: `ocictl tags ${wanted.from.repository} lists what there is`,
    });
  };
}

async function findSource(
  { from, reference, name, source: { platforms } }: Wanted,
  lock: PlanOptions['lock'],
  signal: AbortSignal,
): Promise<Found | undefined> {
  const { registry, repo } = from;
  const locked = lock.get(name);
  const [platform, another] = platforms;
  if (platform && !another) {
    const known = locked ?? (await unlessUnknown(registry.statManifest(repo, reference, { signal })))?.digest;
    if (known === undefined) return undefined;
    const { descriptor } = await resolveImage({ ...from, reference: known }, platform, { signal });
    return { found: known, digest: descriptor.digest, root: descriptor };
  }
  if (locked !== undefined) return { found: locked, digest: locked, root: undefined };
  const root = await unlessUnknown(registry.statManifest(repo, reference, { signal }));
  return root && { found: root.digest, digest: root.digest, root };
}
