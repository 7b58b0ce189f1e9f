/** `copy --dry-run`: tells what would be copied, and writes nothing. */
import type { Context, Place } from '../../app/context.ts';
import { formatBytes } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import { type Preview, previewTransfer } from '../../transfer/plan/preview.ts';
import { forEachReference } from '../command-line/several.ts';
import { type PlannedCopy, planCopy, type Wish } from './image.ts';
import type { Destination } from './late-place.ts';

/** What a copy to one destination would do; with `--json` this is printed. */
interface CopyPreview extends Omit<Preview, 'root'> {
  readonly source: string;
  readonly destination: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly rewrittenFrom?: string | undefined;
}

interface DryRunOptions {
  readonly source: Place;
  readonly destinations: readonly Destination[];
  readonly wish: Omit<Wish, 'toWhole'>;
  readonly json: boolean;
}

/** Prints what would be copied to each destination. @returns The previews of those that could be looked at. */
export async function dryRun(
  { source, destinations, wish, json }: DryRunOptions,
  context: Context,
): Promise<readonly CopyPreview[]> {
  const { terminal, signal } = context;
  const previews: CopyPreview[] = [];
  const words = destinations.map(({ word }) => word);
  await forEachReference({ words, several: words.length > 1 }, { terminal, what: 'looked at' }, async (_, i) => {
    const { place, toWhole } = destinations[i] as Destination;
    const plan = await planCopy(source, () => place.open(), { ...wish, toWhole }, context);
    const preview = previewOf(plan, await previewTransfer({ ...plan.root, signal }));
    return async () => {
      previews.push(preview);
      await terminal.out(json ? `${formatJson(preview)}\n` : textOf(preview));
    };
  });
  return previews;
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
