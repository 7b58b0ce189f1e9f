/** Copies one image: chooses what to copy, checks whether it is allowed, and reports the result. */
import type { Context, Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { formatPlatform, type Platform } from '../../model/platform/platform.ts';
import { foreignLayers } from '../../registry/extensions.ts';
import { digestAt } from '../../transfer/digest-at.ts';
import { naming } from '../../transfer/graph.ts';
import type { TransferResult, TransferRoot } from '../../transfer/transfer.ts';
import { chooseRoot } from './choose-root.ts';

export interface Wish {
  /** None for the whole index. */
  readonly platforms: readonly Platform[];
  /** Whether images that the source lacks are an error. */
  readonly insists: boolean;
  readonly ifAbsent: boolean;
  readonly referrers: boolean;
  readonly digestTags: boolean;
  /** Whether an index is copied unchanged where the destination gets only the images for `platforms`. */
  readonly sparse: boolean;
  /** Whether format or compression change. An index then goes whole: what stayed behind would not be converted. */
  readonly converts?: boolean | undefined;
  /** Whether the copy is checked at its destination, and whether its bytes are. */
  readonly check?: 'sizes' | 'bytes' | undefined;
  /** Whether the destination requires everything that a manifest names. This is known before it is opened. */
  readonly toWhole: boolean;
}

/** What is copied, and the two places. */
export interface PlannedCopy {
  readonly root: TransferRoot;
  readonly source: Place;
  readonly destination: Place;
  /** The digest of the index that a smaller one was made of. */
  readonly rewrittenFrom?: Digest | undefined;
}

export interface Copied {
  /** The full name of the destination. */
  readonly name: string;
  readonly json: unknown;
}

export interface Planning extends Pick<Context, 'signal'> {
  readonly terminal: Pick<Context['terminal'], 'note'>;
}

/** @throws OciError USAGE for a copy to itself, REFUSED by --if-absent, and what the places throw. */
export async function planCopy(
  source: Place,
  openDestination: () => Promise<Place>,
  wish: Wish,
  { terminal, signal }: Planning,
  choose = chooseRoot,
): Promise<PlannedCopy> {
  const { platforms, insists, ifAbsent, referrers, digestTags, toWhole, sparse, converts, check } = wish;
  const subset = (toWhole || converts === true) && !sparse;
  const open = async (): Promise<Place> => {
    const place = refuseItself(source, await openDestination());
    if (check !== undefined) refuseCheck(place);
    if (ifAbsent) refuseOccupied(place);
    return place;
  };
  const whole = toWhole ? await open() : undefined;
  const look = async (): Promise<Digest | undefined> => whole && digestAt(whole, whole.reference, signal);
  const [chosen, there] = await Promise.all([
    choose(source, { platforms: insists ? 'all' : platforms, own: whole?.platform, sparse, subset }, signal),
    look(),
  ]);
  const destination = whole ?? (await open());
  const asPulled = destination.kind.incomplete === 'usual' && converts !== true;
  const reduced = asPulled ? undefined : chosen.reduced;
  const { root, manifests } = reduced ?? chosen;
  if (reduced !== undefined) terminal.note(reduced.note);
  const { rewrittenFrom } = chosen;
  if (rewrittenFrom !== undefined) {
    const names = platforms.map(formatPlatform).join(', ');
    terminal.note(`${source.name}: of the index ${rewrittenFrom}, ${names} are copied, as the index ${root.digest}`);
  }
  if (ifAbsent) {
    refuseOther(root, whole ? there : await digestAt(destination, destination.reference, signal), destination);
  }
  return {
    source,
    destination,
    rewrittenFrom,
    root: {
      from: {
        ...source,
        reference: root.digest,
        root,
        asked: { reference: source.reference, digest: chosen.named },
        manifests,
      },
      to: {
        ...destination,
        host: destination.hosted?.domain,
        tags: destination.tag === undefined ? [] : [destination.tag],
        ...(whole && { seen: { digest: there } }),
        ...(sparse && { sparse }),
      },
      mountFrom: destination.hosted && (await source.mountFrom(destination.hosted)),
      ...(chosen.byEngine ? { platforms, requirePlatform: true } : { whole: insists || !asPulled }),
      foreignLayers: takesForeignLayers(destination) ? 'copy' : 'skip',
      referrers,
      digestTags: digestTags && { ifAbsent },
    },
  };
}

/** Checks a copy that was made, if that was asked for. @returns What is printed. @throws OciError for a copy that is not whole */
export async function conclude(
  { root: planned, source, destination, ...made }: PlannedCopy,
  result: TransferResult,
  { platforms, referrers, digestTags, check }: Wish,
  { terminal, signal }: Planning,
): Promise<Copied> {
  const { root, changed, omitted, transferredBytes, ...attached } = result;
  if (omitted.length > 0 && platforms.length === 0) {
    terminal.note(`${source.name} lacks images that its index names, so the copy lacks them too: ${naming(omitted)}`);
  }
  const { digest, mediaType } = root;
  const { from, to, foreignLayers: foreign } = planned;
  const { fullName } = destination;
  const isConverted = from.root !== undefined && from.root.digest !== digest;
  if (isConverted) terminal.note(`${source.name}: ${from.root.digest} was converted, and is ${digest} in the copy`);
  const rewrittenFrom = made.rewrittenFrom ?? (isConverted ? from.root.digest : undefined);
  const taken = {
    ...(rewrittenFrom !== undefined && { rewrittenFrom }),
    ...(referrers && { referrers: attached.referrers.map((entry) => entry.digest) }),
    ...(digestTags && { digestTags: attached.digestTags }),
  };
  const prove = async (): Promise<object> => {
    const { proveCopy } = await import('../../transfer/plan/prove.ts');
    await using again = await destination.reopen?.();
    const end = again ? { ...to, registry: again.registry, repo: again.repo } : to;
    const bytes = check === 'bytes';
    return { checked: await proveCopy({ to: end, foreignLayers: foreign }, result, { bytes, signal }) };
  };
  const checked = check && (await prove());
  const json = { destination: fullName, digest, mediaType, changed, transferredBytes, ...taken, ...checked };
  return { name: fullName, json };
}

/** Explains that a destination refuses an index without all of its images. */
export function withSparseTold(error: unknown): unknown {
  if (!isOciError(error, 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'MANIFEST_INVALID')) return error;
  const { code, message, status, endpoint } = error;
  const hint = 'most registries take no index without its images: without --sparse, a smaller index is made';
  return new OciError(code, message, { hint, status, endpoint, cause: error });
}

/** @throws OciError USAGE */
function refuseItself(source: Place, destination: Place): Place {
  const replaced = source.replaced !== undefined && source.replaced === destination.replaced;
  if (!replaced && source.identity !== destination.identity) return destination;
  const both = replaced ? `in ${source.repository}` : source.fullName;
  throw new OciError('USAGE', `source and destination are both ${both}`, {
    hint: replaced
      ? 'a copy replaces all that is there: write to another file or directory'
      : 'name another tag, repository or directory for one of them',
  });
}

/** @throws OciError UNSUPPORTED for a place whose content cannot be read to compare it */
function refuseCheck({ name, readsBack = true, reopen }: Place): void {
  if (readsBack || reopen !== undefined) return;
  throw new OciError('UNSUPPORTED', `--check cannot compare what is written to ${name}`, {
    hint: 'leave it out; registries, layouts, the local store, oci-archive: and dir: can be checked',
  });
}

/** Whether layers that may not be distributed are sent there. */
export function takesForeignLayers({ kind, registry }: Place): boolean {
  return kind.own || registry.extension(foreignLayers)?.accepted === true;
}

/** @throws OciError REFUSED for a file or directory that the copy would replace, whatever is in it */
function refuseOccupied({ repository, occupied }: Place): void {
  if (!occupied) return;
  throw new OciError('REFUSED', `${repository} exists already, and a copy replaces all that is in it`, {
    hint: 'leave --if-absent out to overwrite it, or name another file or directory',
  });
}

/** @throws OciError REFUSED if the tag exists with another digest. */
function refuseOther(root: Descriptor, there: Digest | undefined, { name }: Place): void {
  if (there === undefined || there === root.digest) return;
  throw new OciError('REFUSED', `${name} exists already, as ${there}`, {
    hint: 'leave --if-absent out to overwrite it, or choose another tag',
  });
}
