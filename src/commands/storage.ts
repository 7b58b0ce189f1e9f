import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { parseTime } from './serve/announcement.ts';
import { reportFreed } from './storage/report.ts';

const defaultGrace = '1h';
const unfinishedMs = 24 * 60 * 60 * 1_000;

export const storage = defineCommand({
  name: 'storage',
  summary: "Look after a registry's store",
  description:
    '`ocictl storage gc --root DIR` removes blobs that no manifest names any more, as after deletions, and uploads that\n' +
    'nobody has continued for a day. DIR is the --root of `ocictl serve`, which may run meanwhile. DIR can also be the\n' +
    'directory of a distribution registry. That registry does not tell what it needs, so no push to it may then take longer\n' +
    'than --grace.\n\n' +
    'Manifests without a tag stay, because they may be pulled by digest. --untagged removes them too, except those that a\n' +
    'remaining index names, and signatures and other referrers of remaining manifests. It removes none in a repository with\n' +
    'a damaged tag or a manifest of an unknown type. Whatever was written within --grace stays in any case, and so does\n' +
    'what a client of a running serve needs. A directory that is not a registry’s is left alone.\n\n' +
    'With --dry-run nothing is removed, and the exit status is 12 if something would be.',
  arguments: [{ label: 'ACTION', summary: 'gc', arity: 'one', choices: ['gc'] }],
  options: {
    root: value('--root <dir>', "The registry's directory"),
    dryRun: flag('--dry-run', 'Only show what would be removed; exit with 12 if there is something'),
    grace: value(
      '--grace <time>',
      `Keep what was written within this time: 0, 30m, 12h (default ${defaultGrace}; 24h for unfinished uploads)`,
    ),
    untagged: flag('--untagged', 'Also remove manifests that no tag reaches'),
    json: jsonOption,
  },
  examples: [
    { text: 'What it would free', command: 'storage gc --root images --dry-run' },
    { text: 'Free it, beside a running ocictl serve --root images', command: 'storage gc --root images' },
  ],
  async run({ words: [action], options }, context) {
    if (action !== 'gc') {
      throw new OciError('USAGE', `unknown action ${quote(action ?? '')}`, {
        hint: 'usage: ocictl storage gc --root DIR',
      });
    }
    const { root, dryRun, grace, untagged, json } = options;
    if (root === undefined) {
      throw new OciError('USAGE', 'no registry was named', { hint: 'usage: ocictl storage gc --root DIR' });
    }
    const graceMs = readGrace(grace ?? defaultGrace);
    const waits = { graceMs, unfinishedMs: grace === undefined ? unfinishedMs : graceMs };
    const freed = await context.collectRegistry(root, { ...waits, dryRun, untagged });
    const recent = graceMs === 0 ? undefined : `were written within the last ${grace ?? defaultGrace} (--grace)`;
    return reportFreed(freed, context.terminal, { dryRun, json, each: false, recent });
  },
});

function readGrace(text: string): number {
  return /^0[smhd]?$/.test(text) ? 0 : parseTime(text);
}
