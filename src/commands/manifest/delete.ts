import { OciError } from '../../model/errors.ts';
import { defineCommand } from '../command-line/command.ts';
import { differs } from '../command-line/exit-status.ts';
import { deletingOptions } from '../command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from '../command-line/several.ts';
import { deleteDigest, dryRunOption, referrersOption } from '../delete/delete-digest.ts';
import { createKeptManifests, refuseDrySave, saveOption } from '../delete/keep-manifests.ts';
import { printDeletion } from '../delete/print.ts';

export const manifestDelete = defineCommand({
  name: 'manifest delete',
  summary: 'Delete a manifest with all its tags',
  description:
    'Deletes the manifest that REF names, by tag or digest, together with every tag that points at it; without --yes they are\n' +
    'only listed. What hangs on it stays behind without --referrers, and stderr says what that is. ocictl delete describes\n' +
    `--referrers and --save, and deletes a tag alone. ${severalHelp}`,
  arguments: [severalImages('REF', 'NAME:TAG or NAME@DIGEST')],
  options: { referrers: referrersOption, save: saveOption, dryRun: dryRunOption, ...deletingOptions },
  examples: [
    {
      text: 'What a tag points at, with its other tags',
      command: 'manifest delete --yes registry.example.com/team/app:old',
    },
  ],
  async run({ words, options }, context) {
    const { terminal } = context;
    refuseDrySave(options);
    let found = 0;
    const references = await readReferences(words, context, options);
    await using kept = await createKeptManifests(options.save, references, context);
    await forEachReference(references, { terminal, what: 'deleted', atOnce: 1 }, async (word) => {
      await using place = await context.openPlace(word, 'removal', options);
      if (!place.named) {
        throw new OciError('USAGE', `${word} names neither a tag nor a digest`, {
          hint: 'say which: a delete never means latest',
        });
      }
      const deletion = await deleteDigest(place, { ...options, kept }, context);
      if (options.dryRun) found += deletion.names.length;
      else await place.finish();
      return () => printDeletion(deletion, options, terminal);
    });
    return found > 0 ? differs : 0;
  },
});
