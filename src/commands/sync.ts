import { defineCommand, flag, list, value } from './command-line/command.ts';
import { jsonOption, policyOption, progressOption, serviceOptions } from './command-line/options.ts';
import { synchronise } from './sync/synchronise.ts';

export const sync = defineCommand({
  name: 'sync',
  summary: 'Copy what a file lists, and only what has changed',
  description:
    'FILE lists repositories, which of their tags are wanted (by pattern, regular expression, range of versions, or the\n' +
    'newest), and where they go. Files of regsync, and of skopeo sync --src yaml, are read too. docs/sync.md describes the\n' +
    'format. - is standard input.\n\n' +
    'DESTINATION is where images go for which the file names no place: below it they keep their full names, as\n' +
    'DESTINATION/docker.io/library/alpine:3.20. It may be a template: registry.example.com/{{.Path}}:{{.Tag}}.\n\n' +
    'An image that is at its destination takes one HEAD on each side, which no registry counts as a pull. All of them are\n' +
    'looked at before the first is copied. Images that would overwrite each other are refused beforehand. After an\n' +
    'interruption the same command goes on.\n\n' +
    '--delete removes tags at the destination that the rules of a source cover and that it does not have or choose any more,\n' +
    'unless its list is empty or could not be read, or a copy to there failed.',
  arguments: [
    { label: 'FILE', summary: 'What goes where', arity: 'one', completes: 'file' },
    { label: 'DESTINATION', summary: 'Where images go whose place the file does not name', arity: 'optional' },
  ],
  options: {
    delete: flag('--delete', 'Remove tags at the destination that are gone at the source'),
    dryRun: flag('--dry-run', 'Only say what would change; exit status 12 if something would'),
    keepGoing: flag('--keep-going', 'Go on after a failure; exit status 8 at the end'),
    lock: value('--lock <file>', 'Copy the digests in this file, and add those that it lacks'),
    quiet: flag('-q, --quiet', 'No progress and no summary'),
    json: jsonOption,
    progress: progressOption,
    policy: policyOption,
    ...serviceOptions,
    hostCreds: list(
      '--host-creds <host=user:password>',
      'Credentials for a registry; others on this machine can see them here',
    ),
  },
  examples: [
    { text: 'What a file lists', command: 'sync mirror.yaml' },
    { text: 'First see what would change', command: 'sync --dry-run --delete mirror.yaml' },
    { text: "skopeo's file, to a registry", command: 'sync skopeo.yaml registry.example.com/mirror' },
    { text: 'The same images as last time', command: 'sync --lock mirror.lock mirror.yaml' },
  ],
  async run({ words, options }, context) {
    const [file = '', destination] = words;
    return synchronise(file, destination, options, context);
  },
});
