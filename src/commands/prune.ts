import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { reportFreed } from './storage/report.ts';

export const prune = defineCommand({
  name: 'prune',
  summary: 'Free what nothing in the local store refers to',
  description:
    'Removes images that have lost their tag, as docker image prune does: to a newer image, or to an rmi that was\n' +
    'interrupted. An image that was pulled by digest stays until ocictl rmi removes it. Removes every blob that no image\n' +
    'names, and what pulls left that were interrupted; the next pull of such an image begins anew.\n\n' +
    'What a running pull, push or copy counts on stays, and stderr says so. With --dry-run nothing is removed, and the\n' +
    'exit status is 12 where something would be.',
  arguments: [],
  options: {
    dryRun: flag('--dry-run', 'Only tell what would be removed; exit with 12 where that is something'),
    json: jsonOption,
  },
  examples: [
    { text: 'What it would free', command: 'prune --dry-run' },
    { text: 'Free it', command: 'prune' },
  ],
  async run({ options: { dryRun, json } }, context) {
    const freed = await context.prune({ dryRun });
    return reportFreed(freed, context.terminal, { dryRun, json, each: true, recent: 'are new' });
  },
});
