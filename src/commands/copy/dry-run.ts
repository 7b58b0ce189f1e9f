/** `copy --dry-run`: tells what would be copied, and writes nothing. */
import type { Context, Place } from '../../app/context.ts';
import { formatBytes } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import { type Preview, previewTransfer } from '../../transfer/plan/preview.ts';
import { forEachReference } from '../command-line/several.ts';
import type { chooseRoot } from './choose-root.ts';
import { type PlannedCopy, type Planning, planCopy, type Wish } from './image.ts';
import type { Destination } from './late-place.ts';
import { type CopyPlan, type CopyPreview, refuseChanged } from './plan-file.ts';

interface DryRunOptions {
  readonly source: Place;
  readonly destinations: readonly Destination[];
  readonly wish: Omit<Wish, 'toWhole'>;
  /** Chooses the same for all that want the same. */
  readonly choose: typeof chooseRoot;
}

/** Prints what would be copied to each destination. @returns The previews, in the order of the destinations. */
export async function dryRun(
  { json, ...options }: DryRunOptions & { readonly json: boolean },
  context: Context,
): Promise<readonly CopyPreview[]> {
  const { terminal } = context;
  const previews: CopyPreview[] = [];
  const words = options.destinations.map(({ word }) => word);
  await forEachReference({ words, several: words.length > 1 }, { terminal, what: 'looked at' }, async (_, i) => {
    const preview = await lookAhead(options.destinations[i] as Destination, options, context);
    return async () => {
      previews.push(preview);
      await terminal.out(json ? `${formatJson(preview)}\n` : textOf(preview));
    };
  });
  return previews;
}

/** Looks what would be copied, and compares that with a plan. @throws OciError REFUSED if something has changed. */
export async function refuseChanges(plan: CopyPlan, options: DryRunOptions, { signal }: Context): Promise<void> {
  const planning = { signal, terminal: { note: () => {} } };
  for (const [i, destination] of options.destinations.entries()) {
    const planned = plan.copies[i];
    if (planned) refuseChanged(planned.preview, await lookAhead(destination, options, planning));
  }
}

async function lookAhead(
  { place, toWhole }: Destination,
  { source, wish, choose }: DryRunOptions,
  planning: Planning,
): Promise<CopyPreview> {
  const plan = await planCopy(source, () => place.open(), { ...wish, toWhole }, planning, choose);
  return previewOf(plan, await previewTransfer({ ...plan.root, signal: planning.signal }));
}

function previewOf({ source, destination, rewrittenFrom }: PlannedCopy, { root, ...rest }: Preview): CopyPreview {
  const { digest, mediaType } = root;
  const names = { source: source.fullName, destination: destination.fullName };
  return { ...names, digest, mediaType, ...(rewrittenFrom !== undefined && { rewrittenFrom }), ...rest };
}

function textOf({ source, destination, changes, bytes, writes, manifests, blobs, tags }: CopyPreview): string {
  if (!changes) return `${destination}: nothing to do, ${source} is there\n`;
  const count = (action: string): number => blobs.filter((blob) => blob.action === action).length;
  const lines = [
    `${destination}: would copy ${formatBytes(bytes)} from ${source}, with about ${writes} requests that write`,
    `  blobs: ${count('copy')} to copy, ${count('mount')} to mount, ${count('present')} present`,
    `  manifests: ${manifests.filter(({ action }) => action === 'copy').length} of ${manifests.length} to copy`,
    ...tags.map(({ tag, from, to }) => `  tag ${tag}: ${from ?? 'new'} -> ${to}`),
  ];
  return `${lines.join('\n')}\n`;
}
