import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { formatReference, type Tag } from '../../model/reference/reference.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { reportOne } from '../../terminal/report.ts';
import { digestAt } from '../../transfer/manifests.ts';
import { Slots } from '../../transfer/slots.ts';
import { forEveryTag, isOfOneTag, throwFailures } from '../moving/every-tag.ts';
import { runBatch } from '../moving/run-transfer.ts';
import { type Copied, conclude, type PlannedCopy, planCopy, type Wish } from './image.ts';
import type { LatePlace } from './late-place.ts';

/** How many tags are in progress beyond the first unfinished one. The batch limits the memory for their manifests. */
const tagsAhead = 500;
/** How many tags are looked up at once, in the source and the destination. */
const parallelLooks = 9;
/** With --all-tags, allow as many parallel blobs as three single copies, if a number is set. */
const largeImages = 3;

const listing = Symbol('the list of tags');

/** Copies every tag of a repository. @throws OciError PARTLY_FAILED naming the tags that could not be copied. */
export async function copyAllTags(
  source: Place,
  destination: LatePlace,
  wish: Wish & { readonly progress: Progress; readonly keepsOthers: boolean },
  context: Context,
  lineOf: (copied: Copied) => string,
): Promise<void> {
  refuseTag(source);
  const { terminal } = context;
  const failures = new Map<string, OciError>();
  const looks = new Slots(parallelLooks);
  // Stops tags in progress after an error that each of them would meet.
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  let count = 0;
  const set = await context.parallelDownloads();
  const options = {
    progress: wish.progress,
    parallelBlobs: set && largeImages * set,
    signal,
  };
  const planTag = (tag: Tag): Promise<PlannedCopy> =>
    planCopy(source.at(tag), async () => ofTag(await destination.open(), tag), wish, { ...context, signal });
  const planned = wish.keepsOthers ? await planReplacements(source, destination, planTag, signal) : undefined;
  await runBatch(context, options, async (batch) => {
    // The total is known when every tag has been listed and planned.
    const unplanned = new Set<Tag | typeof listing>([listing]);
    const planEnded = (of: Tag | typeof listing): void => {
      if (unplanned.delete(of) && unplanned.size === 0) batch.end();
    };
    const tags = async function* (): AsyncGenerator<Tag> {
      for await (const tag of source.registry.tags(source.repo, { signal })) {
        unplanned.add(tag);
        yield tag;
      }
      planEnded(listing);
    };
    const copyTag = async (tag: Tag): Promise<Copied> => {
      try {
        const plan = planned?.get(tag) ?? (await looks.run(() => planTag(tag)));
        const transferred = batch.transfer(plan.root);
        planEnded(tag);
        return conclude(plan, await transferred, wish, context);
      } catch (error) {
        planEnded(tag);
        if (!isOfOneTag(error)) stop.abort(error);
        throw error;
      }
    };
    for await (const outcome of forEveryTag(tags(), copyTag, tagsAhead)) {
      count += 1;
      if (outcome.error === undefined) await wish.progress.say(lineOf(outcome.result));
      else {
        failures.set(outcome.tag, outcome.error);
        reportOne(source.at(outcome.tag).name, outcome.error, terminal);
      }
    }
  });
  if (failures.size < count) await destination.finish();
  if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${source.repository} has no tags to copy`);
  throwFailures(failures, { count, what: 'copied', hint: 'the others are at the destination' });
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
  plan: (tag: Tag) => Promise<PlannedCopy>,
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
    const found = await plan(tag);
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
