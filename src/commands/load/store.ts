import type { Context } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { toStoreName } from '../../model/reference/reference.ts';
import { leases, pins } from '../../registry/extensions.ts';
import type { PlannedBatch } from '../moving/planned-batch.ts';
import { forSeveral, runBatch } from '../moving/run-batch.ts';
import type { ArchivedImage } from './choose.ts';
import { type LoadedImage, LoadOutcome, type LoadWish } from './outcome.ts';
import { type LoadPlan, planLoad } from './plan.ts';
import { targetOf } from './target.ts';

/** Loads images into the local store, as one batch: what they share is written once. */
export async function loadIntoStore(wish: LoadWish, context: Context): Promise<LoadOutcome> {
  const store = await context.store();
  const { signal } = context;
  await using _lease = await store.extension(leases)?.lease({ signal });
  const outcome = new LoadOutcome(wish, context);
  const { images } = wish.chosen;
  const parallel = await context.parallelDownloads();
  const parallelBlobs = images.length > 1 ? forSeveral(parallel) : parallel;
  await runBatch(context, { progress: wish.progress, parallelBlobs }, async (batch) => {
    const end = batch.expect();
    const running = images.map((image) => loadOne(image, wish, batch, context));
    for (const one of running) one.catch(() => {}); // reported in its turn
    end();
    try {
      for (const [i, image] of images.entries()) await outcome.tell(image, running[i] as Promise<LoadedImage>);
    } finally {
      await Promise.allSettled(running);
    }
  });
  return outcome;
}

async function loadOne(
  image: ArchivedImage,
  { archive, platforms, chosen }: LoadWish,
  batch: PlannedBatch,
  context: Context,
): Promise<LoadedImage> {
  const store = await context.store();
  const { signal } = context;
  const target = targetOf(image);
  const { repo } = archive;
  const { plan, result } = await batch.move(async () => {
    const load = await planLoad(archive, image, { platforms, store, signal });
    const from = { registry: load.registry, repo, reference: image.descriptor.digest, sparse: true };
    const tags = target.digest === undefined && target.tag !== undefined ? [target.tag] : [];
    const root = {
      from,
      to: { registry: store, repo: toStoreName(target), tags, sparse: true },
      ...(platforms.length > 0 && { platforms, requirePlatform: true }),
      referrers: chosen.hasReferrers,
    };
    return { load, root };
  });
  if (target.digest !== undefined) await store.extension(pins)?.pin(toStoreName(target), result.root.digest);
  const { root, changed, transferredBytes, referrers } = result;
  const digests = new Set([...plan.load.digests, ...referrers.map(({ digest }) => digest)]);
  return {
    image,
    target,
    root,
    id: idOf(plan.load, root.digest),
    absent: plan.load.absent,
    digests,
    changed,
    transferredBytes,
  };
}

/** The digest of the config, as in Docker; for an index or an artifact that of its manifest. */
function idOf({ whole }: LoadPlan, root: Digest): Digest {
  const [only] = whole;
  if (only?.view.kind !== 'image' || only.descriptor.digest !== root) return root;
  return only.view.config.digest;
}
