import type { Context } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { defineCommand, flag, value } from '../command-line/command.ts';
import { jsonOption } from '../command-line/options.ts';
import { parseTime } from '../serve/announcement.ts';
import { reportFreed } from './report.ts';
import { requireRoot, rootOption, whichStore } from './root-option.ts';

const defaultGrace = '1h';
const unfinishedMs = 24 * 60 * 60 * 1_000;
const orphanChoices = ['keep', 'remove'];

export const storageGc = defineCommand({
  name: 'storage gc',
  summary: "Remove what nothing in a registry's store refers to",
  description:
    `${whichStore}\n\n` +
    'It removes blobs that no manifest names any more, as after deletions, and uploads that nobody has continued for a day.\n' +
    'Manifests without a tag stay, because they may be pulled by digest. --untagged removes them too, except those that a\n' +
    'remaining index names, and signatures and other referrers of remaining manifests; --orphans says what becomes of\n' +
    'referrers whose subject is gone. It removes none in a repository with a damaged tag or a manifest of an unknown type.\n' +
    'Whatever was written within --grace stays in any case, and so does what a client of a running serve needs. Nothing is\n' +
    'removed before everything was read. A distribution registry does not tell what it needs, so no push to it may take\n' +
    'longer than --grace.\n\n' +
    'With --dry-run nothing is removed, and the exit status is 12 if something would be.',
  arguments: [],
  options: {
    root: rootOption,
    dryRun: flag('--dry-run', 'Only show what would be removed; exit with 12 if there is something'),
    grace: value(
      '--grace <time>',
      `Keep what was written within this time: 0, 30m, 12h (default ${defaultGrace}; 24h for unfinished uploads)`,
    ),
    uploadAge: value('--upload-age <time>', 'Remove uploads that were not continued for this time'),
    untagged: flag('--untagged', 'Also remove manifests that no tag reaches'),
    orphans: value(
      '--orphans <what>',
      'Keep or remove referrers whose subject is gone (default: remove with --untagged)',
      { choices: orphanChoices },
    ),
    json: jsonOption,
  },
  examples: [
    { text: 'What it would free', command: 'storage gc --root images --dry-run' },
    { text: 'Free it, beside a running ocictl serve --root images', command: 'storage gc --root images' },
  ],
  run: ({ options }, context) => collectGarbage(requireRoot(options.root, 'gc'), options, context),
});

interface GcOptions {
  readonly dryRun: boolean;
  readonly grace: string | undefined;
  readonly uploadAge: string | undefined;
  readonly untagged: boolean;
  readonly orphans: string | undefined;
  readonly json: boolean;
}

/** @returns The exit status. */
async function collectGarbage(root: string, options: GcOptions, context: Context): Promise<number> {
  const { dryRun, grace, uploadAge, untagged, orphans, json } = options;
  if (orphans !== undefined && !orphanChoices.includes(orphans)) {
    throw new OciError('USAGE', `unknown choice ${quote(orphans)}`, { hint: '--orphans is keep or remove' });
  }
  const graceMs = readAge(grace ?? defaultGrace);
  const age = uploadAge ?? grace;
  const freed = await context.collectRegistry(root, {
    graceMs,
    unfinishedMs: age === undefined ? unfinishedMs : readAge(age),
    dryRun,
    untagged,
    orphans: orphans === undefined ? undefined : orphans === 'remove',
    // There may be millions: without --json they are only counted.
    ...(!json && { onRemoved: () => {} }),
  });
  const recent = graceMs === 0 ? undefined : `were written within the last ${grace ?? defaultGrace} (--grace)`;
  return reportFreed(freed, context.terminal, { dryRun, json, each: false, recent });
}

/** @throws OciError USAGE */
function readAge(text: string): number {
  return /^0[smhd]?$/.test(text) ? 0 : parseTime(text);
}
