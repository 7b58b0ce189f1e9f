import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { kindOf } from '../../places/places.ts';
import { expectedContent } from '../../registry/expected-content.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { moveTags } from '../moving/move-tags.ts';
import { type Copied, conclude, type PlannedCopy, planCopy, type Wish } from './image.ts';
import { ofTag, planReplacements, refuseTag, tagsToCopy } from './items.ts';
import type { Destination } from './late-place.ts';

/** Copies every tag of a repository to one destination. @throws OciError PARTLY_FAILED naming the tags that could not be copied. */
export async function copyAllTags(
  source: Place,
  destination: Destination,
  wish: Wish & { readonly progress: Progress },
  context: Context,
  lineOf: (copied: Copied) => string,
): Promise<void> {
  refuseTag(source);
  const { place, keepsOthers } = destination;
  const planTag = (tag: Tag, signal: AbortSignal): Promise<PlannedCopy> =>
    planCopy(source.at(tag), async () => ofTag(await place.open(), tag), wish, { ...context, signal });
  const tags = (signal: AbortSignal) => tagsToCopy(source, wish.referrers, signal);
  const { signal } = context;
  const planned = keepsOthers
    ? await planReplacements(source, destination, tags(signal), (tag) => planTag(tag, signal), signal)
    : undefined;
  const count = await moveTags(context, {
    progress: wish.progress,
    parallelBlobs: await context.parallelDownloads(),
    tags,
    plan: async (tag, aborting) => planned?.get(tag) ?? planTag(tag, aborting),
    conclude: (plan, result) => conclude(plan, result, wish, context),
    tell: (copied) => wish.progress.say(lineOf(copied)),
    nameOf: (tag) => source.at(tag).name,
    what: 'copied',
    others: 'the others are at the destination',
    mustKnowAll: async () => {
      if (!wish.toWhole || !kindOf(destination.word).own) return false;
      // A missing source creates no destination.
      for await (const _ of tags(signal)) return (await place.open()).registry.extension(expectedContent) !== undefined;
      return false;
    },
    finish: () => place.finish(),
  });
  if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${source.repository} has no tags to copy`);
}
