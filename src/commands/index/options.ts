import { resultOptions } from '../changing/options.ts';
import { list, value, values } from '../command-line/command.ts';

export const entryPlatformOption = list('--platform <os/arch>', 'Take these images alone, comma-separated');
export const indexAnnotationOption = values(
  '-a, --annotation <key=value>',
  'An annotation of the index; may be repeated',
);
export const entryAnnotationOption = values(
  '--entry-annotation <key=value>',
  'An annotation of the entries of these images; may be repeated',
);

/** Where the changed index goes, and how that is shown. */
export const inPlaceOptions = {
  ...resultOptions,
  tag: value('-t, --tag <ref>', 'Where the changed index goes, in any place; default: REF, whose tag moves'),
};

/** For help: what holds for the commands that change an index in place. */
export const inPlaceHelp =
  'The tag REF moves to the changed index, unless -t says where else it goes. If somebody else changes it at the same time, it is\n' +
  'read and changed again, so that nobody loses anything. Fields that are not changed keep their bytes, also the subject.\n' +
  'Signatures of the index as it was are named on stderr. The digest of the changed index is printed.';
