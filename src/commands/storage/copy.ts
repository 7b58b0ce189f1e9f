import type { Context, CopyTotals } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { counted, formatBytes } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import type { ProgressMode } from '../../terminal/progress/progress.ts';
import { reportOne } from '../../terminal/report.ts';
import { defineCommand, flag } from '../command-line/command.ts';
import { differs } from '../command-line/exit-status.ts';
import { jsonOption, progressOption } from '../command-line/options.ts';
import { withProgress } from '../moving/run-batch.ts';
import { shownRoot } from './root-option.ts';

/** Where all blobs are behind a link there are millions. With --json all are named. */
const maxNames = 20;

export const storageCopy = defineCommand({
  name: 'storage copy',
  summary: "Copy a registry's store to another place",
  description:
    'FROM and TO are directories, or buckets as s3://BUCKET/PREFIX, also from one to the other. Blobs are copied first, tags\n' +
    'last. Blobs are verified on the way. What is there with the same size is not sent again, so an interrupted copy goes\n' +
    'on. Nothing is deleted. Pushes to FROM may go on; what they add during the copy is copied by the next one.\n\n' +
    'With --dry-run nothing is copied, and the exit status is 12 if something would be.',
  arguments: [
    { label: 'FROM', summary: 'The --root of a registry', arity: 'one', completes: 'directory' },
    { label: 'TO', summary: 'Where it is copied', arity: 'one', completes: 'directory' },
  ],
  options: {
    dryRun: flag('--dry-run', 'Only show what would be copied; exit with 12 if there is something'),
    progress: progressOption,
    json: jsonOption,
  },
  examples: [
    {
      text: 'Move a registry into a bucket',
      command: "storage copy images 's3://my-bucket/registry?region=eu-central-1'",
    },
  ],
  run: ({ words: [from = '', to = ''], options }, context) => copyStores(from, to, options, context),
});

interface CopyStoreOptions {
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode | undefined;
}

/** @returns The exit status. */
async function copyStores(
  from: string,
  to: string,
  { dryRun, json, progress: mode }: CopyStoreOptions,
  context: Context,
): Promise<number> {
  const { terminal } = context;
  const unreadable: (readonly [name: string, error: OciError])[] = [];
  const totals = await withProgress(
    context,
    { mode, quiet: json || dryRun, action: 'copy', name: shownRoot(from), several: true },
    (progress) =>
      context.copyRegistry(from, to, {
        dryRun,
        onUnreadable: (...told) => void unreadable.push(told),
        onBlob(node, state) {
          if (state === 'begins') {
            progress.event({ type: 'discovered', node, kind: 'layer' });
            progress.event({ type: 'started', node, resumedBytes: 0 });
          } else if (!dryRun) {
            progress.event({ type: 'progress', node, bytes: state === 'ended' ? node.size : 0 });
            progress.event({ type: 'done', node, kind: 'layer', outcome: 'transferred' });
          }
        },
      }),
  );
  for (const [name, error] of unreadable.slice(0, maxNames)) reportOne(name, error, terminal);
  if (json) await terminal.out(`${formatJson({ dryRun, ...totals })}\n`);
  else for (const line of linesOf(totals, dryRun)) await terminal.out(`${line}\n`);
  if (totals.damaged.length + totals.unreadable.length > 0) throw damageError(totals, shownRoot(from));
  return dryRun && totals.copied.count + totals.links + totals.tags > 0 ? differs : 0;
}

function linesOf(totals: CopyTotals, dryRun: boolean): readonly string[] {
  const { copied, present, repositories, links, tags, dangling, left, damaged, unreadable } = totals;
  const word = dryRun ? 'Would copy' : 'Copied';
  const there =
    present.count > 0 ? `; ${counted(present.count, 'blob')} (${formatBytes(present.bytes)}) were there` : '';
  return [
    ...damaged.map((digest) => `Damaged: ${digest}`),
    ...unreadable.slice(0, maxNames).map((name) => `Not readable: ${name}`),
    ...(unreadable.length > maxNames ? [`Not readable: ${unreadable.length - maxNames} more`] : []),
    ...(dangling > 0 ? [`Left behind: ${counted(dangling, 'link')} to blobs that are not there`] : []),
    ...(left > 0 ? [`Left behind: ${counted(left, 'tag')} that are damaged, or whose manifest is not there yet`] : []),
    `${word}: ${counted(copied.count, 'blob')} (${formatBytes(copied.bytes)}), ${counted(links, 'link')} and ` +
      `${counted(tags, 'tag')} of ${counted(repositories, 'repository', 'repositories')}${there}`,
  ];
}

function damageError({ damaged, unreadable }: CopyTotals, from: string): OciError {
  const parts = [
    ...(damaged.length > 0 ? [counted(damaged.length, 'damaged blob')] : []),
    ...(unreadable.length > 0
      ? [counted(unreadable.length, 'part that cannot be read', 'parts that cannot be read')]
      : []),
  ];
  const isOne = damaged.length + unreadable.length === 1;
  return new OciError('STORAGE_DAMAGED', `${parts.join(' and ')} of the source ${isOne ? 'was' : 'were'} not copied`, {
    hint: `ocictl storage fsck --bytes --root ${from} names the images that need them; everything else was copied`,
  });
}
