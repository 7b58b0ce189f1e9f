import { readFrom } from '../../places/place.ts';
import { imageHelp } from '../../places/places.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand } from '../command-line/command.ts';
import { jsonOption, readingOptions } from '../command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from '../command-line/several.ts';

export const manifestHead = defineCommand({
  name: 'manifest head',
  summary: 'Show media type, digest and size of a manifest',
  description:
    `${imageHelp('REF')}\n` +
    'A registry is sent a HEAD request, which does not count as a pull. Each line has media type, digest, size in bytes and\n' +
    `the reference, separated by tabs. ${severalHelp}`,
  arguments: [{ ...severalImages('REF'), storeToo: true }],
  options: { json: jsonOption, ...readingOptions },
  examples: [{ text: 'What a tag points at', command: 'manifest head alpine:3.20' }],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    const references = await readReferences(words, context, options);
    await forEachReference(references, { terminal, what: 'found', onlyAsks: true }, async (word) => {
      await using place = await context.openPlace(word, 'source', options);
      const { mediaType, digest, size } = await readFrom(place, () =>
        place.registry.statManifest(place.repo, place.reference, { signal }),
      );
      const reference = place.fullName;
      const line = options.json
        ? formatJson({ reference, mediaType, digest, size })
        : [mediaType, digest, size, word].join('\t');
      return () => terminal.out(`${line}\n`);
    });
  },
});
