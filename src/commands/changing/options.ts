/** What the commands that change images have in common. */
import { OciError } from '../../model/errors.ts';
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { flag, list, value } from '../command-line/command.ts';
import {
  credentialOptions,
  jsonOption,
  policyOption,
  progressOption,
  serviceOptions,
} from '../command-line/options.ts';

/** Where the result goes, and how it is shown. */
export const resultOptions = {
  tag: value('-t, --tag <ref>', 'Where the result goes, in any place; REF itself moves its tag'),
  quiet: flag('-q, --quiet', 'No progress'),
  json: jsonOption,
  progress: progressOption,
  policy: policyOption,
  ...serviceOptions,
  srcCreds: value('--src-creds <user:password>', 'Credentials for the image; others on this machine can see them here'),
  destCreds: value(
    '--dest-creds <user:password>',
    'Credentials for the result, likewise; default: those of --src-creds',
  ),
  anonymous: credentialOptions.anonymous,
};

export const platformsOption = list(
  '--platform <os/arch>',
  'Change these images of an index, comma-separated; the others stay in it as they are',
);

/** For help: what holds for all of these commands. */
export const changingHelp =
  'REF and the result are in a registry, a layout (oci:DIR), an archive or the local store. REF does not change. What is at the\n' +
  'destination is not sent again. Of an index every image is changed, and the index stays an index; its attestations of changed\n' +
  'images are left out. Signatures and whatever else refers to what has changed are named on stderr: they do not hold for the\n' +
  'result. The digest of the result is printed.';

/** @throws OciError USAGE if it does not say where the result goes. */
export function targetOf(tag: string | undefined): string {
  if (tag !== undefined) return tag;
  throw new OciError('USAGE', 'it is not said where the result goes', {
    hint: 'add -t NAME:TAG; the name of the image itself moves its tag',
  });
}

/** @throws OciError USAGE */
export function parsePlatforms(words: readonly string[]): readonly Platform[] | undefined {
  return words.length === 0 || words.includes('all') ? undefined : words.map(parsePlatform);
}
