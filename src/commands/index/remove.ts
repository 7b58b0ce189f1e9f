import { type Digest, parseDigest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { parsePlatforms } from '../changing/options.ts';
import { defineCommand, list } from '../command-line/command.ts';
import { changeIndex } from './change-index.ts';
import { inPlaceHelp, inPlaceOptions } from './options.ts';

export const indexRemove = defineCommand({
  name: 'index remove',
  summary: 'Remove images from an index',
  description:
    'The images stay where they are; only the index does not name them any more. Attestations of an image that is removed go\n' +
    `with it.\n\n${inPlaceHelp}`,
  arguments: [
    { label: 'REF', summary: 'The index', arity: 'one', completes: 'image' },
    { label: 'DIGEST', summary: 'What is removed', arity: 'any' },
  ],
  options: {
    ...inPlaceOptions,
    platform: list('--platform <os/arch>', 'Remove the images for these platforms, comma-separated'),
  },
  examples: [{ text: 'One platform', command: 'index remove registry.example.com/team/app:1 --platform linux/386' }],
  async run({ words: [word = '', ...digests], options }, context) {
    const named = digests.map(parseDigest);
    const platforms = parsePlatforms(options.platform) ?? [];
    if (named.length + platforms.length === 0) {
      throw new OciError('USAGE', 'it is not said what is removed', { hint: 'name digests, or add --platform' });
    }
    const { chosenDigests, entriesIn, indexWith, withoutEntries } = await import('../../edit/index/entries.ts');
    let chosen: ReadonlySet<Digest> | undefined;
    // What was chosen once may be gone when the index is read again.
    const choose = (index: Manifest): ReadonlySet<Digest> => {
      chosen ??= chosenDigests(index, { digests: named, platforms });
      return chosen;
    };
    await changeIndex(
      {
        word,
        change: (before) =>
          indexWith(before, withoutEntries(entriesIn(before), choose(before)), { mediaType: before.mediaType }),
      },
      options,
      context,
    );
  },
});
