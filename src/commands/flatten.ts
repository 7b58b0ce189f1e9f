import { compressOption } from './changing/layer-options.ts';
import { changingHelp, parsePlatforms, platformsOption, resultOptions } from './changing/options.ts';
import { squashImage } from './changing/squash-image.ts';
import { defineCommand } from './command-line/command.ts';

export const flatten = defineCommand({
  name: 'flatten',
  summary: 'Make one layer of all layers of an image',
  description:
    `${changingHelp}\n\n` +
    'The layer has the files that a container would see: hard links are kept, what upper layers hide is gone. Config, environment\n' +
    'and the lines of the history without a layer stay. The same image gives the same layer. ocictl squash keeps lower layers.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: { ...resultOptions, platform: platformsOption, compress: compressOption },
  examples: [
    {
      text: 'Under another tag',
      command: 'flatten registry.example.com/team/app:1 -t registry.example.com/team/app:1-flat',
    },
  ],
  async run({ words: [word = ''], options }, context) {
    const platforms = parsePlatforms(options.platform);
    await squashImage({ word, platforms, from: 1, createdBy: 'ocictl flatten' }, options, context);
  },
});
