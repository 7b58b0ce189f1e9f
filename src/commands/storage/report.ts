/** The output of `prune` and `storage gc` about what they freed. */
import type { Pruned } from '../../app/context.ts';
import { counted, formatBytes } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { differs } from '../command-line/exit-status.ts';

const running = 'a running pull, push, copy or serve needs them';

interface ReportOptions {
  readonly dryRun: boolean;
  readonly json: boolean;
  /** Whether every blob is listed. */
  readonly each: boolean;
  /** Why recent content stays: `were written within the last hour`. Undefined without such a bound. */
  readonly recent: string | undefined;
}

/** @returns The exit status. */
export async function reportFreed(
  { removed, freed, untagged, links, unfinished, kept }: Pruned,
  terminal: Terminal,
  { dryRun, json, each, recent }: ReportOptions,
): Promise<number> {
  const freedBytes = freed.bytes + unfinished.bytes;
  const changes = freed.count + untagged.length + links + unfinished.count;
  const status = dryRun && changes > 0 ? differs : 0;
  if (json) {
    const deleted = removed.map(({ digest }) => digest);
    await terminal.out(`${formatJson({ dryRun, untagged, deleted, unfinished, freedBytes, kept })}\n`);
    return status;
  }
  const [untag, remove] = dryRun ? ['Would untag', 'Would delete'] : ['Untagged', 'Deleted'];
  for (const name of untagged) await terminal.out(`${untag}: ${name}\n`);
  if (each) for (const { digest } of removed) await terminal.out(`${remove}: ${digest}\n`);
  const would = dryRun ? 'would remove' : 'removed';
  if (!each && freed.count > 0) terminal.note(`${would} ${counted(freed.count, 'blob')}`);
  if (unfinished.count > 0) {
    const what = counted(unfinished.count, 'unfinished transfer');
    terminal.note(`${would} what was left of ${what} (${formatBytes(unfinished.bytes)})`);
  }
  if (kept.inUse.count > 0) terminal.note(`${keptLine(kept.inUse)}: ${running}`);
  if (kept.recent.count > 0) terminal.note(`${keptLine(kept.recent)}: they ${recent ?? 'are new'}`);
  if (kept.manifests > 0) {
    const why = recent === undefined ? running : `${running}, or they ${recent}`;
    const what = counted(kept.manifests, 'manifest');
    terminal.note(`kept ${what} without a tag, with all that they name: ${why}`);
  }
  await terminal.out(`${dryRun ? 'Total reclaimable space' : 'Total reclaimed space'}: ${formatBytes(freedBytes)}\n`);
  return status;
}

function keptLine({ count, bytes }: Pruned['kept']['inUse']): string {
  return `kept ${counted(count, 'blob')} (${formatBytes(bytes)})`;
}
