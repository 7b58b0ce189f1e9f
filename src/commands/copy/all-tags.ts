import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { Slots } from '../../transfer/slots.ts';
import { forEveryTag, isOfOneTag, throwFailures } from '../moving/every-tag.ts';
import { runBatch } from '../moving/run-transfer.ts';
import { type Copied, conclude, planCopy, type Wish } from './image.ts';
import type { LatePlace } from './late-place.ts';

/** Tags that are under way while the first of them is not there yet. Their manifests are bounded by the batch. */
const tagsAhead = 500;
/** Tags that are looked at both places at once. */
const parallelLooks = 9;
/** With all tags, as many blobs move at once as if so many images were copied. */
const largeImages = 3;

/** Copies every tag of a repository. @throws OciError PARTLY_FAILED naming the tags that could not be copied. */
export async function copyAllTags(
  source: Place,
  destination: LatePlace,
  wish: Wish & { readonly quiet: boolean },
  context: Context,
  lineOf: (copied: Copied) => string,
): Promise<void> {
  refuseTag(source);
  const { terminal } = context;
  const failures = new Map<string, OciError>();
  const looks = new Slots(parallelLooks);
  // What would fail with each of them is not tried to its end with those that are under way.
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  let count = 0;
  const options = {
    title: `copying ${source.repository}`,
    quiet: wish.quiet,
    parallelBlobs: largeImages * (await context.parallelDownloads()),
    signal,
    say: async (line: string) => terminal.out(`${line}\n`),
  };
  await runBatch(context, options, async (batch, say) => {
    const copyTag = async (tag: Tag): Promise<Copied> => {
      try {
        const open = async (): Promise<Place> => refuseTag(await destination.open()).at(tag);
        const plan = await looks.run(() => planCopy(source.at(tag), open, wish, { ...context, signal }));
        return conclude(plan, await batch.transfer(plan.root), wish, context);
      } catch (error) {
        if (!isOfOneTag(error)) stop.abort(error);
        throw error;
      }
    };
    for await (const outcome of forEveryTag(source.registry.tags(source.repo, { signal }), copyTag, tagsAhead)) {
      count += 1;
      if (outcome.error === undefined) await say(lineOf(outcome.result));
      else {
        failures.set(outcome.tag, outcome.error);
        terminal.note(`${source.at(outcome.tag).name}: ${outcome.error.message}`);
      }
    }
  });
  if (failures.size < count) await destination.finish();
  if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${source.repository} has no tags to copy`);
  throwFailures(failures, { count, what: 'copied', hint: 'the others are at the destination' });
}

/** @throws OciError USAGE where a tag or digest was named beside --all-tags. */
function refuseTag(place: Place): Place {
  if (!place.named) return place;
  throw new OciError('USAGE', `tag can't be used with --all-tags/-a: ${place.name}`, {
    hint: 'name the repository alone; all images of one tag are copied without -a, too',
  });
}
