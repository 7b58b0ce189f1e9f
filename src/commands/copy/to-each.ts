/** Copies one image to several destinations: the source is read once. */
import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Progress } from '../../terminal/progress/progress.ts';
import { transferToEach } from '../../transfer/fan-out/transfer-to-each.ts';
import type { TransferResult } from '../../transfer/transfer.ts';
import { forEachReference } from '../command-line/several.ts';
import type { chooseRoot } from './choose-root.ts';
import { type Copied, conclude, type PlannedCopy, planCopy, type Wish } from './image.ts';
import type { Destination } from './late-place.ts';

interface ToEachOptions {
  readonly source: Place;
  readonly destinations: readonly Destination[];
  readonly wish: Omit<Wish, 'toWhole'>;
  readonly progress: Progress;
  readonly lineOf: (copied: Copied) => string;
  /** Chooses the same for all that want the same. */
  readonly choose: typeof chooseRoot;
}

/**
 * Copies an image to each destination, and prints the results in their order. One that fails does not stop the others.
 *
 * @returns The first copy that was made.
 * @throws OciError PARTLY_FAILED; the first error if all failed; USAGE if a destination is named twice.
 */
export async function copyToEach(
  { source, destinations, wish, progress, lineOf, choose }: ToEachOptions,
  context: Context,
): Promise<PlannedCopy | undefined> {
  const { terminal } = context;
  const plans: PlannedCopy[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const told = new Set<string>();
  const note = (text: string): void => {
    if (!told.has(text)) terminal.note(text);
    told.add(text);
  };
  const planned = { signal, terminal: { note } };
  const identities = new Map<string, string>();
  const roots = destinations.map(({ word, place, toWhole }, i) => async () => {
    const open = async (): Promise<Place> => refuseTwice(await place.open(), word, identities);
    const plan = await planCopy(source, open, { ...wish, toWhole }, planned, choose);
    plans[i] = plan;
    return plan.root;
  });
  const parallelBlobs = await context.parallelDownloads();
  const { events, results } = transferToEach(roots, { from: source, parallelBlobs, signal });
  const show = async (): Promise<void> => {
    for await (const event of events) progress.event(event);
  };
  const showing = show().catch((error: unknown) => stop.abort(error));
  const settled = await results;
  await showing;
  context.signal.throwIfAborted();
  stop.signal.throwIfAborted();
  const words = destinations.map(({ word }) => word);
  await forEachReference({ words, several: true }, { terminal, what: 'copied' }, async (_, i) => {
    const result = settled[i];
    if (result?.status !== 'fulfilled') throw result?.reason;
    return () => finish(i, result.value);
  });
  return plans.find((_, i) => settled[i]?.status === 'fulfilled');

  async function finish(i: number, result: TransferResult): Promise<void> {
    const [plan, destination] = [plans[i], destinations[i]];
    if (!plan || !destination) return;
    await destination.place.finish();
    await progress.say(lineOf(await conclude(plan, result, { ...wish, toWhole: destination.toWhole }, planned)));
  }
}

/** @throws OciError USAGE for a place, or a file that is replaced as a whole, that another destination is already */
function refuseTwice(place: Place, word: string, identities: Map<string, string>): Place {
  const identity = place.replaced ?? place.identity;
  const other = identities.get(identity);
  identities.set(identity, word);
  if (other === undefined) return place;
  throw new OciError('USAGE', `${place.fullName} is given twice, as ${other} and ${word}`, {
    hint: place.replaced === undefined ? 'name each destination once' : 'each replaces the other: name another file',
  });
}
