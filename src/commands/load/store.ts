import type { Context } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { leases, pins } from '../../registry/extensions.ts';
import type { TransferResult } from '../../transfer/transfer.ts';
import type { PlannedBatch } from '../moving/planned-batch.ts';
import { forSeveral, runBatch } from '../moving/run-batch.ts';
import { byRepository, type NamedImage, type Turn } from './named.ts';
import { type LoadedImage, LoadOutcome, type LoadWish } from './outcome.ts';
import { LoadPlanner } from './plan.ts';

/** What all names of an image in a repository have in common. */
interface Loaded extends Pick<LoadedImage, 'root' | 'id' | 'absent' | 'digests'> {
  readonly result: TransferResult;
}

/** Loads images into the local store, as one batch: what they share is written once. */
export async function loadIntoStore(wish: LoadWish, context: Context): Promise<LoadOutcome> {
  const store = await context.store();
  const { signal } = context;
  await using _lease = await store.extension(leases)?.lease({ signal });
  const planner = new LoadPlanner(wish.archive, { platforms: wish.platforms, store, signal });
  await planner.refuseCut(wish.chosen);
  const outcome = new LoadOutcome(wish, context);
  const turns = byRepository(wish.chosen.images);
  const all = new Set(turns.flatMap((turn) => ('named' in turn ? [turn.named] : [])));
  const parallel = await context.parallelDownloads();
  const parallelBlobs = all.size > 1 ? forSeveral(parallel) : parallel;
  await runBatch(context, { progress: wish.progress, parallelBlobs }, async (batch) => {
    const end = batch.expect();
    const running = new Map([...all].map((named) => [named, loadNamed(named, wish, planner, batch, context)]));
    for (const one of running.values()) one.catch(() => {}); // reported in its turn
    end();
    try {
      for (const turn of turns) {
        const loading = loadedAs(turn, running);
        await loading.catch(() => {}); // told below
        planner.throwExcess();
        await outcome.tell(turn.image, loading);
      }
    } finally {
      await Promise.allSettled(running.values());
    }
  });
  return outcome;
}

/** @throws OciError why this name, or all of the image, could not be loaded. */
async function loadedAs(turn: Turn, running: ReadonlyMap<NamedImage, Promise<Loaded>>): Promise<LoadedImage> {
  if ('error' in turn) throw turn.error;
  const { image, target, named } = turn;
  const { result, ...loaded } = (await running.get(named)) as Loaded;
  const { tagged, changed, transferredBytes } = result;
  const isFirst = target === named.targets[0];
  const isNew = target.digest === undefined && target.tag !== undefined && tagged.has(target.tag);
  return {
    ...loaded,
    image,
    target,
    changed: isNew || (isFirst && changed && (transferredBytes > 0 || tagged.size === 0)),
    transferredBytes: isFirst ? transferredBytes : 0,
  };
}

async function loadNamed(
  { image, repo: name, tags, targets }: NamedImage,
  { archive, platforms, chosen }: LoadWish,
  planner: LoadPlanner,
  batch: PlannedBatch,
  context: Context,
): Promise<Loaded> {
  const store = await context.store();
  const { plan, result } = await batch.move(async () => {
    const load = await planner.plan(image, targets.length);
    const root = {
      from: { registry: load.registry, repo: archive.repo, reference: image.descriptor.digest, sparse: true },
      to: { registry: store, repo: name, tags: [...tags], sparse: true },
      ...(platforms.length > 0 && { platforms, requirePlatform: true }),
      referrers: chosen.hasReferrers,
      digestTags: chosen.hasDigestTags,
    };
    return { load, root };
  });
  const { root, referrers } = result;
  if (targets.some(({ digest }) => digest !== undefined)) await store.extension(pins)?.pin(name, root.digest);
  const { digests: own, id, absent } = plan.load;
  const digests = referrers.length === 0 ? own : new Set<Digest>([...own, ...referrers.map(({ digest }) => digest)]);
  return { root, id, absent, digests, result };
}
