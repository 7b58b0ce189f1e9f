import { readFrom } from '../places/place.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { credentialOptions, jsonOption, serviceOptions } from './command-line/options.ts';
import { Inspection } from './inspect/gather.ts';

export const digest = defineCommand({
  name: 'digest',
  summary: 'Print the digest of an image',
  description:
    `${imageHelp('REF')}\n` +
    'Of an image for several platforms it is the digest of the whole, unless --platform names one. A registry is asked by HEAD,\n' +
    'which does not count as a pull.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    platform: value('--platform <os/arch>', 'The digest of the image for this platform'),
    fullRef: flag('--full-ref', 'Print the full name with the digest, NAME@DIGEST'),
    json: jsonOption,
    ...serviceOptions,
    ...credentialOptions,
  },
  examples: [
    { text: 'What a tag points at', command: 'digest alpine:3.20' },
    { text: 'The image for one platform', command: 'digest --platform linux/arm64 alpine:3.20' },
  ],
  async run({ words, options }, context) {
    const platform = options.platform === undefined ? undefined : parseOnePlatform(options.platform);
    const { terminal, signal } = context;
    await using place = await context.openPlace(words[0] ?? '', 'source', options);
    const descriptor = platform
      ? (await new Inspection(place, { platform, explicit: true, signal }).image()).descriptor
      : await readFrom(place, () => place.registry.statManifest(place.repo, place.reference, { signal }));
    const { digest, mediaType, size } = descriptor;
    const shown = options.fullRef ? `${place.repository}@${digest}` : digest;
    await terminal.out(`${options.json ? formatJson({ digest, mediaType, size }) : shown}\n`);
  },
});
