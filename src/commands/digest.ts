import { readFrom } from '../places/place.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, readingOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from './command-line/several.ts';
import { Inspection } from './inspect/gather.ts';

export const digest = defineCommand({
  name: 'digest',
  summary: 'Print the digest of an image',
  description:
    `${imageHelp('REF')}\n` +
    'For an image with several platforms it prints the digest of the index, unless --platform names one. It sends the\n' +
    'registry a HEAD request, which does not count as a pull.\n\n' +
    `With several references, each line has the digest and the reference, as sha256sum prints them. ${severalHelp}`,
  arguments: [{ ...severalImages('REF'), storeToo: true }],
  options: {
    platform: value('--platform <os/arch>', 'The digest of the image for this platform'),
    fullRef: flag('--full-ref', 'Print the full name with the digest, NAME@DIGEST'),
    json: jsonOption,
    ...readingOptions,
  },
  examples: [
    { text: 'What a tag points at', command: 'digest alpine:3.20' },
    { text: 'Many, one a line', command: 'digest - < names.txt' },
    { text: 'The image for one platform', command: 'digest --platform linux/arm64 alpine:3.20' },
  ],
  async run({ words, options }, context) {
    const platform = options.platform === undefined ? undefined : parseOnePlatform(options.platform);
    const { terminal, signal } = context;
    const references = await readReferences(words, context, options);
    await forEachReference(references, { terminal, what: 'found', onlyAsks: true }, async (word) => {
      await using place = await context.openPlace(word, 'source', options);
      const descriptor = platform
        ? (await new Inspection(place, { platform, explicit: true, signal }).image()).descriptor
        : await readFrom(place, () => place.registry.statManifest(place.repo, place.reference, { signal }));
      const { digest, mediaType, size } = descriptor;
      const named = references.several ? `${digest}  ${word}` : digest;
      const shown = options.fullRef ? `${place.repository}@${digest}` : named;
      const reference = place.fullName;
      return () => terminal.out(`${options.json ? formatJson({ reference, digest, mediaType, size }) : shown}\n`);
    });
  },
});
