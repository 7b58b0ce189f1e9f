import { readFrom } from '../../places/place.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand } from '../command-line/command.ts';
import { jsonOption, readingOptions } from '../command-line/options.ts';
import { forEachReference, readReferences, severalHelp } from '../command-line/several.ts';
import { requireDigest } from './digest-of-word.ts';

export const blobHead = defineCommand({
  name: 'blob head',
  summary: 'Show whether a blob is there, and its size',
  description:
    'Each line has the digest, the size in bytes and the reference, separated by tabs. A blob that is not there ends with\n' +
    `status 3. ${severalHelp}`,
  arguments: [
    {
      label: 'REF',
      summary: 'The blob, NAME@DIGEST, or several; - reads them from standard input',
      arity: 'many',
      completes: 'image',
      storeToo: true,
    },
  ],
  options: { json: jsonOption, ...readingOptions },
  examples: [{ text: 'Is this layer there?', command: 'blob head registry.example.com/team/app@sha256:…' }],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    const references = await readReferences(words, context, options);
    await forEachReference(references, { terminal, what: 'found', onlyAsks: true }, async (word) => {
      const digest = requireDigest(word);
      await using place = await context.openPlace(word, 'source', options);
      const { size } = await readFrom(place, () => place.registry.statBlob(place.repo, digest, { signal }));
      const reference = place.fullName;
      const line = options.json ? formatJson({ reference, digest, size }) : [digest, size, word].join('\t');
      return () => terminal.out(`${line}\n`);
    });
  },
});
