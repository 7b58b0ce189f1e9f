import { OciError } from '../../model/errors.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand } from '../command-line/command.ts';
import { deletingOptions } from '../command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from '../command-line/several.ts';
import { requireDigest } from './digest-of-word.ts';

export const blobDelete = defineCommand({
  name: 'blob delete',
  summary: 'Delete a blob from a repository',
  description:
    'Images of the repository that contain it can then no longer be pulled. It is not checked whether there are any: without\n' +
    `--yes nothing is deleted. Most registries allow this to few users, or to none. ${severalHelp}`,
  arguments: [severalImages('REF', 'The blob, NAME@DIGEST')],
  options: deletingOptions,
  examples: [
    { text: 'A blob that no image needs', command: 'blob delete --yes registry.example.com/team/app@sha256:…' },
  ],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    const references = await readReferences(words, context, options);
    await forEachReference(references, { terminal, what: 'deleted' }, async (word) => {
      const digest = requireDigest(word);
      if (!options.yes) {
        throw new OciError('REFUSED', `this would delete ${word}`, { hint: 'add --yes to delete it' });
      }
      await using place = await context.openPlace(word, 'removal', options);
      await place.registry.deleteBlob(place.repo, digest, { signal });
      await place.finish();
      return () =>
        terminal.out(options.json ? `${formatJson({ deleted: place.fullName })}\n` : `Deleted: ${place.fullName}\n`);
    });
  },
});
