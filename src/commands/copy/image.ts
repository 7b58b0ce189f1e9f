/** Copies one image: chooses what to copy, checks whether it is allowed, and reports the result. */
import type { Context, Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { foreignLayers } from '../../registry/extensions.ts';
import { digestAt } from '../../transfer/digest-at.ts';
import { naming } from '../../transfer/graph.ts';
import { resolveImage } from '../../transfer/platforms.ts';
import { choosePushed, reducedNote } from '../../transfer/pushed.ts';
import type { TransferResult, TransferRoot } from '../../transfer/transfer.ts';

export interface Wish {
  /** None for the whole index. */
  readonly platforms: readonly Platform[];
  /** Whether images that the source lacks are an error. */
  readonly insists: boolean;
  readonly ifAbsent: boolean;
  readonly referrers: boolean;
  readonly digestTags: boolean;
  /** Whether the destination requires everything that a manifest names. This is known before it is opened. */
  readonly toWhole: boolean;
}

/** What is copied, and the two places. */
export interface PlannedCopy {
  readonly root: TransferRoot;
  readonly source: Place;
  readonly destination: Place;
}

export interface Copied {
  /** The full name of the destination. */
  readonly name: string;
  readonly json: unknown;
}

/** @throws OciError USAGE for a copy to itself, REFUSED by --if-absent, and what the places throw. */
export async function planCopy(
  source: Place,
  openDestination: () => Promise<Place>,
  wish: Wish,
  { terminal, signal }: Context,
): Promise<PlannedCopy> {
  const { platforms, insists, ifAbsent, referrers, digestTags, toWhole } = wish;
  const open = async (): Promise<Place> => refuseItself(source, await openDestination());
  const whole = toWhole ? await open() : undefined;
  const look = async (): Promise<Digest | undefined> => whole && digestAt(whole, whole.reference, signal);
  const wanted = insists ? 'all' : platforms.length > 0 ? platforms : (whole?.platform ?? []);
  const [chosen, there] = await Promise.all([resolveRoot(source, wanted, signal), look()]);
  const destination = whole ?? (await open());
  const asPulled = destination.kind.incomplete === 'usual';
  const reduced = asPulled ? undefined : chosen.reduced;
  const { root, manifest } = reduced ?? chosen;
  if (reduced !== undefined) terminal.note(reduced.note);
  if (ifAbsent) {
    refuseOther(root, whole ? there : await digestAt(destination, destination.reference, signal), destination);
  }
  return {
    source,
    destination,
    root: {
      from: { ...source, reference: root.digest, root, manifest },
      to: {
        ...destination,
        tags: destination.tag === undefined ? [] : [destination.tag],
        ...(whole && { seen: { digest: there } }),
      },
      mountFrom: destination.hosted && (await source.mountFrom(destination.hosted)),
      ...(platforms.length > 1 ? { platforms, requirePlatform: true } : { whole: insists || !asPulled }),
      foreignLayers: takesForeignLayers(destination) ? 'copy' : 'skip',
      referrers,
      digestTags: digestTags && { ifAbsent },
    },
  };
}

/** The output for a copied image. */
export function conclude(
  { source, destination }: PlannedCopy,
  { root, changed, omitted, transferredBytes, ...attached }: TransferResult,
  { platforms, referrers, digestTags }: Wish,
  { terminal }: Context,
): Copied {
  if (omitted.length > 0 && platforms.length === 0) {
    terminal.note(`${source.name} lacks images that its index names, so the copy lacks them too: ${naming(omitted)}`);
  }
  const { digest, mediaType } = root;
  const { fullName } = destination;
  const taken = {
    ...(referrers && { referrers: attached.referrers.map((entry) => entry.digest) }),
    ...(digestTags && { digestTags: attached.digestTags }),
  };
  const json = { destination: fullName, digest, mediaType, changed, transferredBytes, ...taken };
  return { name: fullName, json };
}

/** @throws OciError USAGE */
function refuseItself(source: Place, destination: Place): Place {
  if (source.identity !== destination.identity) return destination;
  throw new OciError('USAGE', `source and destination are both ${source.fullName}`, {
    hint: 'name another tag, repository or directory for one of them',
  });
}

interface ChosenRoot extends Pick<TransferRoot['from'], 'manifest'> {
  readonly root: Descriptor;
  /** If only one image of the index is at the source: that image, and a note about it. */
  readonly reduced?: Pick<ChosenRoot, 'root' | 'manifest'> & { readonly note: string };
}

function takesForeignLayers({ kind, registry }: Place): boolean {
  return kind.own || registry.extension(foreignLayers)?.accepted === true;
}

/** Chooses what is copied: the image of one platform, otherwise what the reference names. */
async function resolveRoot(
  source: Place,
  platforms: readonly Platform[] | Platform | 'all',
  signal: AbortSignal,
): Promise<ChosenRoot> {
  const { registry, repo, reference, name } = source;
  if (isPlatform(platforms)) {
    // The daemon's, which nobody asked for: an image without an index may be for another.
    return read(await resolveImage(source, platforms, { signal, requirePlatform: false }));
  }
  const [platform, another] = platforms === 'all' ? [] : platforms;
  if (platform && !another) return read(await resolveImage(source, platform, { signal }));
  // HEAD first (registries do not count it as a pull): the destination, which is asked meanwhile, may have the manifest.
  const root = await readFrom(source, () => registry.statManifest(repo, reference, { signal }));
  if (platforms === 'all' || another || !source.sparse) return { root };
  const chosen = await choosePushed({ ...source, reference: root.digest }, undefined, { signal });
  const note = reducedNote(name, 'copying', chosen);
  if (note === undefined) return { root };
  return { root, reduced: { root: await registry.statManifest(repo, chosen.digest, { signal }), note } };
}

function isPlatform(wanted: readonly Platform[] | Platform | 'all'): wanted is Platform {
  return wanted !== 'all' && 'os' in wanted;
}

function read(manifest: Manifest): ChosenRoot {
  return { root: manifest.descriptor, manifest };
}

/** @throws OciError REFUSED if the tag exists with another digest. */
function refuseOther(root: Descriptor, there: Digest | undefined, { name }: Place): void {
  if (there === undefined || there === root.digest) return;
  throw new OciError('REFUSED', `${name} exists already, as ${there}`, {
    hint: 'leave --if-absent out to overwrite it, or choose another tag',
  });
}
