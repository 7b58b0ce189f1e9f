import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { formatReference, type Tag } from '../../model/reference/reference.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { digestAt } from '../../transfer/digest-at.ts';
import { forEveryTag } from '../moving/every-tag.ts';
import { moveTags } from '../moving/move-tags.ts';
import { type Copied, conclude, type PlannedCopy, planCopy, type Wish } from './image.ts';
import type { LatePlace } from './late-place.ts';

/** Copies every tag of a repository. @throws OciError PARTLY_FAILED naming the tags that could not be copied. */
export async function copyAllTags(
  source: Place,
  destination: LatePlace,
  wish: Wish & { readonly progress: Progress; readonly keepsOthers: boolean },
  context: Context,
  lineOf: (copied: Copied) => string,
): Promise<void> {
  refuseTag(source);
  const planTag = (tag: Tag, signal: AbortSignal): Promise<PlannedCopy> =>
    planCopy(source.at(tag), async () => ofTag(refuseCheck(await destination.open(), wish), tag), wish, {
      ...context,
      signal,
    });
  const planned = wish.keepsOthers ? await planReplacements(source, destination, planTag, context.signal) : undefined;
  const count = await moveTags(context, {
    progress: wish.progress,
    parallelBlobs: await context.parallelDownloads(),
    tags: (signal) => source.registry.tags(source.repo, { signal }),
    plan: async (tag, signal) => planned?.get(tag) ?? planTag(tag, signal),
    conclude: (plan, result) => conclude(plan, result, wish, context),
    tell: (copied) => wish.progress.say(lineOf(copied)),
    nameOf: (tag) => source.at(tag).name,
    what: 'copied',
    others: 'the others are at the destination',
    finish: () => destination.finish(),
  });
  if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${source.repository} has no tags to copy`);
}

/** @throws OciError USAGE for --check of tags that can be read only when all of them are written */
function refuseCheck(place: Place, { check }: Wish): Place {
  if (check === undefined || place.readsBack !== false) return place;
  throw new OciError('USAGE', `--all-tags has no --check for ${place.repository}`, {
    hint: 'leave it out, or copy to a registry or a layout',
  });
}

/** The place of one tag. @throws OciError USAGE if another tag was named. */
function ofTag(place: Place, tag: Tag): Place {
  return place.below?.(tag) ?? refuseTag(place).at(tag);
}

/**
 * Checks tags that a layout has already, because it does not record which repository they came from.
 *
 * @returns The planned copies for these tags.
 * @throws OciError REFUSED if one of them points at another image.
 */
async function planReplacements(
  source: Place,
  destination: LatePlace,
  plan: (tag: Tag, signal: AbortSignal) => Promise<PlannedCopy>,
  signal: AbortSignal,
): Promise<ReadonlyMap<Tag, PlannedCopy>> {
  const planned = new Map<Tag, PlannedCopy>();
  const replaced: Tag[] = [];
  const look = async (tag: Tag): Promise<void> => {
    const opened = await destination.open();
    // A full name says where the image is from.
    if (opened.below) return;
    const place = ofTag(opened, tag);
    const there = await digestAt(place, place.reference, signal);
    if (there === undefined) return;
    const found = await plan(tag, signal);
    planned.set(tag, found);
    if (found.root.from.reference !== there) replaced.push(tag);
  };
  // The copy of each tag will report its error.
  for await (const _ of forEveryTag(source.registry.tags(source.repo, { signal }), look));
  if (replaced.length === 0) return planned;
  const { repository } = await destination.open();
  const inFull = source.hosted && `, or under full names: ${repository}:${formatReference(source.hosted)}`;
  throw new OciError('REFUSED', `${repository} has other images under these tags: ${shortList(replaced)}`, {
    hint: `copy another repository into a layout of its own${inFull ?? ''}; --replace overwrites them`,
  });
}

const listedTags = 10;

function shortList(tags: readonly Tag[]): string {
  const more = tags.length > listedTags ? ` and ${tags.length - listedTags} more` : '';
  return tags.slice(0, listedTags).join(', ') + more;
}

/** @throws OciError USAGE if a tag or digest was named together with --all-tags. */
function refuseTag(place: Place): Place {
  if (!place.named) return place;
  throw new OciError('USAGE', `tag can't be used with --all-tags/-a: ${place.name}`, {
    hint: 'name the repository without a tag; without -a, all images of one tag are copied too',
  });
}
