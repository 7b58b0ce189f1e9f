import { type Digest, parseDigest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { parsePlatform } from '../../model/platform/platform.ts';
import { parsePlatforms } from '../changing/options.ts';
import { defineCommand, list, value, values } from '../command-line/command.ts';
import { parsePairs } from '../command-line/option-values.ts';
import { platformWords } from '../command-line/options.ts';
import { changeIndex } from './change-index.ts';
import { inPlaceHelp, inPlaceOptions } from './options.ts';

export const indexAnnotate = defineCommand({
  name: 'index annotate',
  summary: 'Change annotations and platforms in an index',
  description:
    'Without DIGEST and --platform, the annotations are those of the index; otherwise those of the entries that are chosen.\n' +
    `The images do not change.\n\n${inPlaceHelp}`,
  arguments: [
    { label: 'REF', summary: 'The index', arity: 'one', completes: 'image' },
    { label: 'DIGEST', summary: 'Entries', arity: 'any' },
  ],
  options: {
    ...inPlaceOptions,
    platform: list('--platform <os/arch>', 'The entries for these platforms, comma-separated'),
    annotation: values('-a, --annotation <key=value>', 'An annotation; may be repeated'),
    unsetAnnotation: values('--unset-annotation <key>', 'Remove this annotation; may be repeated'),
    setPlatform: value('--set-platform <os/arch>', 'What the chosen entry is for', { choices: platformWords }),
  },
  examples: [
    {
      text: 'The index',
      command: 'index annotate registry.example.com/team/app:1 -a org.opencontainers.image.version=1.2',
    },
    {
      text: 'The platform of an entry',
      command: 'index annotate oci:app:1 --platform linux/arm --set-platform linux/arm/v6',
    },
  ],
  async run({ words: [word = '', ...digests], options }, context) {
    const named = digests.map(parseDigest);
    const platforms = parsePlatforms(options.platform) ?? [];
    const removed = Object.fromEntries(options.unsetAnnotation.map((name) => [name, null]));
    const annotations = { ...removed, ...parsePairs('--annotation', options.annotation) };
    const platform = options.setPlatform === undefined ? undefined : parsePlatform(options.setPlatform);
    const ofEntries = named.length + platforms.length > 0;
    if (platform && !ofEntries) {
      throw new OciError('USAGE', '--set-platform is for an entry, and none is chosen', {
        hint: 'choose one with --platform, or name its digest',
      });
    }
    const { chosenDigests, entriesIn, indexWith, withSaid } = await import('../../edit/index/entries.ts');
    let chosen: ReadonlySet<Digest> | undefined;
    const choose = (index: Manifest): ReadonlySet<Digest> => {
      chosen ??= ofEntries ? chosenDigests(index, { digests: named, platforms }) : new Set();
      if (platform && chosen.size > 1) {
        throw new OciError('USAGE', '--set-platform is for one entry, and several are chosen', {
          hint: 'name the digest of one',
        });
      }
      return chosen;
    };
    await changeIndex(
      {
        word,
        change(before) {
          const those = choose(before);
          const entries = entriesIn(before).map((entry) =>
            those.has(entry.descriptor.digest) ? withSaid(entry, { platform, annotations }) : entry,
          );
          const own = ofEntries ? {} : annotations;
          return indexWith(before, entries, { mediaType: before.mediaType, annotations: own });
        },
      },
      options,
      context,
    );
  },
});
