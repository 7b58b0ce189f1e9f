/** Copies an image, or every tag of a repository, to several destinations: the source is read once. */
import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { expectedContent } from '../../registry/expected-content.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { EachBatch } from '../../transfer/fan-out/each-batch.ts';
import { Slots } from '../../transfer/slots.ts';
import type { BatchOptions, TransferResult } from '../../transfer/transfer.ts';
import { forEachReference } from '../command-line/several.ts';
import { isOfOneTag } from '../moving/every-tag.ts';
import { forSeveral } from '../moving/run-batch.ts';
import { type Copied, conclude, type PlannedCopy, type Planning } from './image.ts';
import { type Copies, itemsOf, planItem, refuseReplacements } from './items.ts';
import type { Destination } from './late-place.ts';

interface ToEachOptions extends Copies {
  readonly progress: Progress;
  readonly lineOf: (copied: Copied) => string;
  readonly transform: BatchOptions['transform'];
}

/** How many tags are in progress, beyond the first that is not at each destination. */
const tagsAhead = 50;
/** How many images are planned at once, which takes requests to the source and a destination. */
const parallelPlans = 18;

/**
 * Copies to each destination, and prints the results in their order. One that fails does not stop the others.
 *
 * @returns The first copy that was made.
 * @throws OciError PARTLY_FAILED; the first error if all failed; USAGE if a destination is named twice.
 */
export async function copyToEach(options: ToEachOptions, context: Context): Promise<PlannedCopy | undefined> {
  const { source, destinations, tags, wish, progress, lineOf, transform } = options;
  const { terminal } = context;
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const planning: Planning = { signal, terminal: { note: noteOnce(terminal) } };
  await refuseReplacements(options, planning);
  const parallelBlobs = await context.parallelDownloads();
  const batch = new EachBatch(destinations.length, {
    from: source,
    parallelBlobs: tags ? forSeveral(parallelBlobs) : parallelBlobs,
    transform,
    signal,
  });
  const show = async (): Promise<void> => {
    for await (const event of batch.events) progress.event(event);
  };
  const showing = show().catch((error: unknown) => stop.abort(error));
  const plans = new Slots(parallelPlans);
  const openOnce = openEachOnce();
  /** What every further image would meet at a destination. */
  const ruined = new Map<Destination, unknown>();
  const copyImage = async (tag: Tag | undefined): Promise<readonly Arrived[]> => {
    const planned: PlannedCopy[] = [];
    const settled = await batch.transfer(
      destinations.map((destination, i) => async () => {
        if (ruined.has(destination)) throw ruined.get(destination);
        const plan = await plans.run(() =>
          planItem({ destination, tag }, options, planning, () => openOnce(destination)),
        );
        planned[i] = plan;
        return plan.root;
      }),
    );
    return settled.map((result, i) => {
      const [plan, destination] = [planned[i], destinations[i]];
      if (result.status === 'fulfilled' && plan) return { plan, result: result.value };
      const error: unknown = result.status === 'rejected' ? result.reason : undefined;
      if (destination && tags && !isOfOneTag(error)) ruined.set(destination, error);
      return { error };
    });
  };
  const images: Promise<readonly Arrived[]>[] = [];
  const imageAt = (at: number): Promise<readonly Arrived[]> => {
    const copied = images[at] ?? copyImage(tags?.[at]);
    images[at] = copied;
    if (at === (tags?.length ?? 1) - 1) batch.end();
    return copied;
  };
  // A copy of one image, or one that is checked, is told when its destination is complete.
  const toldLast = !tags || wish.check !== undefined;
  const finishing = new Map<number, Promise<void>>();
  const finish = (i: number): Promise<void> => {
    const known = finishing.get(i) ?? allThere(i).then((any) => (any ? destinations[i]?.place.finish() : undefined));
    finishing.set(i, known);
    return known;
  };
  const allThere = async (i: number): Promise<boolean> =>
    (await Promise.all(images)).some((arrived) => arrived[i]?.result);
  let first: PlannedCopy | undefined;
  const words = itemsOf(options).map(({ word }) => word);
  const atOnce = toldLast || (await knowsAll(destinations)) ? words.length : tagsAhead * destinations.length;
  try {
    await forEachReference({ words, several: words.length > 1 }, { terminal, what: 'copied', atOnce }, async (_, n) => {
      const i = n % destinations.length;
      const { plan, result, error } = (await imageAt(Math.floor(n / destinations.length)))[i] ?? {};
      if (!plan || !result) throw error;
      if (toldLast) await finish(i);
      const toWhole = destinations[i]?.toWhole ?? true;
      return async () => {
        first ??= plan;
        await progress.say(lineOf(await conclude(plan, result, { ...wish, toWhole }, planning)));
      };
    });
  } finally {
    batch.end();
    await Promise.allSettled(images);
    await showing;
    context.signal.throwIfAborted();
    stop.signal.throwIfAborted();
    for (const i of destinations.keys()) await finish(i);
  }
  return first;
}

interface Arrived {
  readonly plan?: PlannedCopy;
  readonly result?: TransferResult;
  readonly error?: unknown;
}

function noteOnce(terminal: Pick<Context['terminal'], 'note'>): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (!told.has(text)) terminal.note(text);
    told.add(text);
  };
}

/** An archive is begun when all its images are known. */
async function knowsAll(destinations: readonly Destination[]): Promise<boolean> {
  const opened = await Promise.allSettled(destinations.map(({ place }) => place.open()));
  return opened.some((one) => one.status === 'fulfilled' && one.value.registry.extension(expectedContent));
}

/** Opens each destination. @throws OciError USAGE for a place, or a file that is replaced as a whole, that another one is already */
function openEachOnce(): (destination: Destination) => Promise<Place> {
  const identities = new Map<string, Destination>();
  return async (destination) => {
    const place = await destination.place.open();
    const identity = place.replaced ?? place.identity;
    const other = identities.get(identity);
    if (other === undefined || other === destination) {
      identities.set(identity, destination);
      return place;
    }
    throw new OciError('USAGE', `${place.fullName} is given twice, as ${other.word} and ${destination.word}`, {
      hint: place.replaced === undefined ? 'name each destination once' : 'each replaces the other: name another file',
    });
  };
}
