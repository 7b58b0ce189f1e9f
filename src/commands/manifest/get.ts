import { OciError } from '../../model/errors.ts';
import { imageHelp } from '../../places/places.ts';
import { defineCommand, value } from '../command-line/command.ts';
import { parseOnePlatform } from '../command-line/option-values.ts';
import { readingOptions } from '../command-line/options.ts';
import { Inspection } from '../inspect/gather.ts';
import { printGiven } from '../inspect/print-given.ts';

export const manifestGet = defineCommand({
  name: 'manifest get',
  summary: 'Print a manifest, byte for byte',
  description:
    `${imageHelp('REF')}\n` +
    'The bytes are those that the digest is of: an index is printed as an index, unless --platform names an image of it. A\n' +
    'manifest that is read by digest is verified.',
  arguments: [{ label: 'REF', summary: 'The image or artifact', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    output: value('-o, --output <file>', 'Write it to this file'),
    platform: value('--platform <os/arch>', 'The manifest for this platform'),
    ...readingOptions,
  },
  examples: [
    { text: 'An index or a manifest, as the registry has it', command: 'manifest get alpine:3.20' },
    { text: 'Into a file', command: 'manifest get -o manifest.json registry.example.com/team/app:1.0' },
  ],
  async run({ words: [word = ''], options }, context) {
    const { terminal, signal } = context;
    if (options.output === '-') throw new OciError('USAGE', '-o - is not needed: standard output is the default');
    const { platform: named } = options;
    const platform = named === undefined ? undefined : parseOnePlatform(named);
    await using place = await context.openPlace(word, 'source', options);
    const how = { platform: platform ?? (await context.defaultPlatform()), explicit: platform !== undefined, signal };
    const inspection = new Inspection(place, how);
    const { bytes } = await (platform ? inspection.image() : inspection.root());
    if (options.output === undefined) return printGiven(terminal, bytes);
    await using file = await context.openOutput(options.output);
    await file.write(bytes);
    await file.finish({ signal });
  },
});
