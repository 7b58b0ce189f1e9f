import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { reportFreed } from './storage/report.ts';

export const prune = defineCommand({
  name: 'prune',
  summary: 'Remove what nothing in the local store refers to',
  description:
    'Removes images that have lost their tag to a newer image or to an interrupted rmi, as docker image prune does. An\n' +
    'image that was pulled by digest stays until ocictl rmi removes it. Also removes every blob that no image names, and\n' +
    'what interrupted pulls left; the next pull of such an image starts from the beginning.\n\n' +
    'What a running pull, push or copy needs stays, and stderr says so. With --dry-run nothing is removed, and the exit\n' +
    'status is 12 if something would be.',
  arguments: [],
  options: {
    dryRun: flag('--dry-run', 'Only show what would be removed; exit with 12 if there is something'),
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
