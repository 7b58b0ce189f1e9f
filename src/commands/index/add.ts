import { parsePlatform } from '../../model/platform/platform.ts';
import { parsePlatforms } from '../changing/options.ts';
import { defineCommand, value } from '../command-line/command.ts';
import { parsePairs } from '../command-line/option-values.ts';
import { platformWords } from '../command-line/options.ts';
import { changeIndex } from './change-index.ts';
import { gatherEntries } from './gather.ts';
import {
  entryAnnotationOption,
  entryPlatformOption,
  indexAnnotationOption,
  inPlaceHelp,
  inPlaceOptions,
} from './options.ts';

export const indexAdd = defineCommand({
  name: 'index add',
  summary: 'Add images to an index',
  description:
    'IMAGE is as for ocictl index create. One for a platform that the index has already takes the place of that one, whose\n' +
    `attestations go with it.\n\n${inPlaceHelp}`,
  arguments: [
    { label: 'REF', summary: 'The index', arity: 'one', completes: 'image' },
    { label: 'IMAGE', summary: 'What is added', arity: 'many', completes: 'image', storeToo: true },
  ],
  options: {
    ...inPlaceOptions,
    platform: entryPlatformOption,
    setPlatform: value('--set-platform <os/arch>', 'What the image is for, in place of what its config says', {
      choices: platformWords,
    }),
    annotation: indexAnnotationOption,
    entryAnnotation: entryAnnotationOption,
  },
  examples: [
    {
      text: 'When another platform was built',
      command: 'index add registry.example.com/team/app:1 registry.example.com/team/app:1-riscv64',
    },
  ],
  async run({ words: [word = '', ...images], options }, context) {
    const annotations = parsePairs('--annotation', options.annotation);
    const choice = {
      platforms: parsePlatforms(options.platform),
      setPlatform: options.setPlatform === undefined ? undefined : parsePlatform(options.setPlatform),
      annotations: parsePairs('--entry-annotation', options.entryAnnotation),
    };
    const { addEntries, entriesIn, indexWith } = await import('../../edit/index/entries.ts');
    await using gathered = await gatherEntries(images, choice, options, context);
    const { entries } = gathered;
    await changeIndex(
      {
        word,
        change: (before) =>
          indexWith(before, addEntries(entriesIn(before), entries), { mediaType: before.mediaType, annotations }),
        added: { digests: entries.map(({ descriptor }) => descriptor.digest), from: gathered.from },
      },
      options,
      context,
    );
  },
});
