import { OciError } from '../model/errors.ts';
import { compressOption } from './changing/layer-options.ts';
import { changingHelp, parsePlatforms, platformsOption, resultOptions } from './changing/options.ts';
import { squashImage } from './changing/squash-image.ts';
import { defineCommand, value } from './command-line/command.ts';
import { parseCount } from './command-line/option-values.ts';

export const squash = defineCommand({
  name: 'squash',
  summary: 'Make one layer of the upper layers of an image',
  description:
    `${changingHelp}\n\n` +
    'Layers below N stay as they are, so they are still shared with other images. What the others do to them is one layer: files,\n' +
    'and whiteouts for what they remove. Layers count from 1, the lowest, as ocictl history shows them.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    ...resultOptions,
    platform: platformsOption,
    from: value('--from <number>', 'The lowest layer that becomes part of the new one; needed'),
    compress: compressOption,
  },
  examples: [
    {
      text: 'All but the base, which has one layer',
      command: 'squash registry.example.com/team/app:1 --from 2 -t registry.example.com/team/app:1-small',
    },
  ],
  async run({ words: [word = ''], options }, context) {
    const from = parseCount('--from', options.from);
    if (from === undefined || from === 0) {
      throw new OciError('USAGE', 'squash needs --from, the lowest layer that becomes part of the new one', {
        hint: 'layers count from 1; ocictl flatten makes one of all',
      });
    }
    const platforms = parsePlatforms(options.platform);
    await squashImage({ word, platforms, from, createdBy: `ocictl squash --from ${from}` }, options, context);
  },
});
