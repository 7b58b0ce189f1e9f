/** What is copied where: one image or every tag of a repository, to one or several destinations. */
import type { Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { formatReference, type Tag } from '../../model/reference/reference.ts';
import { digestAt } from '../../transfer/digest-at.ts';
import { forEveryTag } from '../moving/every-tag.ts';
import type { chooseRoot } from './choose-root.ts';
import { type PlannedCopy, type Planning, planCopy, type Wish } from './image.ts';
import type { Destination } from './late-place.ts';

/** What all copies of a command have in common. */
export interface Copies {
  readonly source: Place;
  readonly destinations: readonly Destination[];
  /** Undefined: the image that is named. */
  readonly tags: readonly Tag[] | undefined;
  readonly wish: Omit<Wish, 'toWhole'>;
  /** Chooses the same for all that want the same. */
  readonly choose: typeof chooseRoot;
}

interface CopyItem {
  readonly destination: Destination;
  readonly tag: Tag | undefined;
  /** Where it goes, as the user would write it. */
  readonly word: string;
}

/** Tag by tag, each to every destination. */
export function itemsOf({ destinations, tags }: Pick<Copies, 'destinations' | 'tags'>): readonly CopyItem[] {
  if (!tags) return destinations.map((destination) => ({ destination, tag: undefined, word: destination.word }));
  return tags.flatMap((tag) =>
    destinations.map((destination) => ({ destination, tag, word: `${destination.word}:${tag}` })),
  );
}

/** @param open Opens the destination. Default: as it is. @throws OciError as {@link planCopy} */
export function planItem(
  { destination: { place, toWhole }, tag }: Pick<CopyItem, 'destination' | 'tag'>,
  { source, wish, choose }: Pick<Copies, 'source' | 'wish' | 'choose'>,
  planning: Planning,
  open: () => Promise<Place> = () => place.open(),
): Promise<PlannedCopy> {
  const [from, to] = tag === undefined ? [source, open] : [source.at(tag), async () => ofTag(await open(), tag)];
  return planCopy(from, to, { ...wish, toWhole }, planning, choose);
}

/**
 * The tags of a repository. With `referrers`, lists of referrers are written anew at the destination, if it needs them.
 *
 * @throws OciError USAGE if a tag or digest was named, MANIFEST_UNKNOWN if there are none.
 */
export async function everyTag(
  source: Place,
  { referrers }: Pick<Wish, 'referrers'>,
  signal: AbortSignal,
): Promise<readonly Tag[]> {
  refuseTag(source);
  const tags: Tag[] = [];
  for await (const tag of tagsToCopy(source, referrers, signal)) tags.push(tag);
  if (tags.length === 0) throw new OciError('MANIFEST_UNKNOWN', `${source.repository} has no tags to copy`);
  return tags;
}

/** @param referrers Whether referrers are taken along. */
export async function* tagsToCopy(source: Place, referrers: boolean, signal: AbortSignal): AsyncGenerator<Tag> {
  for await (const tag of source.registry.tags(source.repo, { signal })) {
    if (!referrers || !/^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{64})$/.test(tag)) yield tag;
  }
}

/**
 * Looks at tags that a layout has already, because it does not record which repository they came from.
 *
 * @returns The planned copies for these tags.
 * @throws OciError REFUSED if one of them points at another image.
 */
export async function planReplacements(
  source: Place,
  { place }: Pick<Destination, 'place'>,
  tags: AsyncIterable<Tag> | Iterable<Tag>,
  plan: (tag: Tag) => Promise<PlannedCopy>,
  signal: AbortSignal,
): Promise<ReadonlyMap<Tag, PlannedCopy>> {
  const planned = new Map<Tag, PlannedCopy>();
  const replaced: Tag[] = [];
  const look = async (tag: Tag): Promise<void> => {
    const opened = await place.open();
    // A full name says where the image is from.
    if (opened.below) return;
    const at = ofTag(opened, tag);
    const there = await digestAt(at, at.reference, signal);
    if (there === undefined) return;
    const found = await plan(tag);
    planned.set(tag, found);
    if (found.root.from.reference !== there) replaced.push(tag);
  };
  // The copy of each tag will report its error.
  for await (const _ of forEveryTag(tags, look));
  if (replaced.length === 0) return planned;
  const { repository } = await place.open();
  const inFull = source.hosted && `, or under full names: ${repository}:${formatReference(source.hosted)}`;
  throw new OciError('REFUSED', `${repository} has other images under these tags: ${shortList(replaced)}`, {
    hint: `copy another repository into a layout of its own${inFull ?? ''}; --replace overwrites them`,
  });
}

/** The same for each destination that keeps what others have put there. @throws OciError REFUSED */
export async function refuseReplacements({ destinations, tags, ...copies }: Copies, planning: Planning): Promise<void> {
  for (const destination of destinations) {
    if (!tags || !destination.keepsOthers) continue;
    const silent = { ...planning, terminal: { note: () => {} } };
    const plan = (tag: Tag): Promise<PlannedCopy> => planItem({ destination, tag }, copies, silent);
    await planReplacements(copies.source, destination, tags, plan, planning.signal);
  }
}

/** The place of one tag. @throws OciError USAGE if another tag was named. */
export function ofTag(place: Place, tag: Tag): Place {
  return place.below?.(tag) ?? refuseTag(place).at(tag);
}

const listedTags = 10;

function shortList(tags: readonly Tag[]): string {
  const more = tags.length > listedTags ? ` and ${tags.length - listedTags} more` : '';
  return tags.slice(0, listedTags).join(', ') + more;
}

/** @throws OciError USAGE if a tag or digest was named together with --all-tags. */
export function refuseTag(place: Place): Place {
  if (!place.named) return place;
  throw new OciError('USAGE', `tag can't be used with --all-tags/-a: ${place.name}`, {
    hint: 'name the repository without a tag; without -a, all images of one tag are copied too',
  });
}
