/** `copy --dry-run`: tells what would be copied, and writes nothing. */
import type { Context } from '../../app/context.ts';
import { formatBytes } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import { type Preview, previewTransfer } from '../../transfer/plan/preview.ts';
import { forEachReference } from '../command-line/several.ts';
import type { PlannedCopy, Planning } from './image.ts';
import { type Copies, itemsOf, planItem, refuseReplacements } from './items.ts';
import { type CopyPlan, type CopyPreview, refuseChanged } from './plan-file.ts';

/** Prints what would be copied. @returns The copies, tag by tag, in the order of the destinations. */
export async function dryRun(
  { json, ...copies }: Copies & { readonly json: boolean },
  context: Context,
): Promise<CopyPlan['copies']> {
  const { terminal } = context;
  await refuseReplacements(copies, context);
  const planned: CopyPlan['copies'][number][] = [];
  const items = itemsOf(copies);
  const words = items.map(({ word }) => word);
  await forEachReference({ words, several: words.length > 1 }, { terminal, what: 'looked at' }, async (_, i) => {
    const item = items[i] as (typeof items)[number];
    const preview = await lookAhead(item, copies, context);
    return async () => {
      planned.push({ word: item.destination.word, ...(item.tag !== undefined && { tag: item.tag }), preview });
      await terminal.out(json ? `${formatJson(preview)}\n` : textOf(preview));
    };
  });
  return planned;
}

/** Looks what would be copied, and compares that with a plan. @throws OciError REFUSED if something has changed. */
export async function refuseChanges(plan: CopyPlan, copies: Copies, { signal }: Context): Promise<void> {
  const planning = { signal, terminal: { note: () => {} } };
  const items = itemsOf(copies);
  for (const { word, tag, preview } of plan.copies) {
    const item = items.find((one) => one.destination.word === word && one.tag === tag);
    if (item) refuseChanged(preview, await lookAhead(item, copies, planning));
  }
}

async function lookAhead(
  item: ReturnType<typeof itemsOf>[number],
  copies: Copies,
  planning: Planning,
): Promise<CopyPreview> {
  const plan = await planItem(item, copies, planning);
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
