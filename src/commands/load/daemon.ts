import type { Context } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { formatReference } from '../../model/reference/reference.ts';
import { planCopy } from '../copy/image.ts';
import { runBatch } from '../moving/run-batch.ts';
import type { ArchivedImage } from './choose.ts';
import { type LoadedImage, LoadOutcome, type LoadWish } from './outcome.ts';
import { LoadPlanner } from './plan.ts';
import { targetOf } from './target.ts';

/** Loads images into places of another kind, one after the other. @param prefix Of the kind: `docker-daemon:`. */
export async function loadInto(prefix: string, wish: LoadWish, context: Context): Promise<LoadOutcome> {
  const { archive, platforms, chosen } = wish;
  await new LoadPlanner(archive, { platforms, signal: context.signal }).refuseCut(chosen);
  const outcome = new LoadOutcome(wish, context);
  for (const image of wish.chosen.images) await outcome.tell(image, loadOne(prefix, image, wish, context));
  return outcome;
}

async function loadOne(
  prefix: string,
  image: ArchivedImage,
  { archive, platforms, progress }: LoadWish,
  context: Context,
): Promise<LoadedImage> {
  const target = targetOf(image);
  if (target.digest !== undefined) {
    throw new OciError('UNSUPPORTED', `${target.digest} has no name, under which ${prefix} could keep it`, {
      hint: 'load it into the local store, and give it one with ocictl tag',
    });
  }
  const word = `${prefix}${formatReference(target)}`;
  await using destination = await context.openPlace(word, 'destination');
  const wanted = {
    platforms,
    insists: false,
    ifAbsent: false,
    referrers: false,
    digestTags: false,
    sparse: false,
    toWhole: true,
  };
  const plan = await planCopy(archive.placeOf(image), async () => destination, wanted, context);
  const parallelBlobs = await context.parallelDownloads();
  const result = await runBatch(context, { progress, parallelBlobs, keeps: 'nothing' }, async (batch) => {
    const end = batch.expect();
    const moving = batch.transfer(plan.root);
    end();
    return await moving;
  });
  await destination.finish();
  const { root, changed, transferredBytes } = result;
  return { image, target, root, id: root.digest, absent: [], digests: new Set(), changed, transferredBytes };
}
