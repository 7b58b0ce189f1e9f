import { defineCommand, values } from './command-line/command.ts';
import { parsePairs } from './command-line/option-values.ts';
import { readReferences, severalHelp } from './command-line/several.ts';
import { keyOptions, signEach, signedArgument, subjectOptions } from './signing/signing-options.ts';

export const sign = defineCommand({
  name: 'sign',
  summary: 'Sign images with a key',
  description:
    'Signs the digest of REF, and prints it as NAME@DIGEST. A tag is looked up once: what it points at then is signed.\n\n' +
    'The signature is stored beside the image, in both forms of cosign: under the tag sha256-….sig, and as a bundle that\n' +
    'refers to the image (cosign 2.6 calls it the new bundle format). A further signature is added to those\n' +
    'that are there; one that is there already, by the same key and of the same content, is not added again.\n\n' +
    `Of an index, --recursive signs the images too. Where REF is in a layout, --sign-container-identity says for which name.\n\n${severalHelp}`,
  arguments: [signedArgument],
  options: {
    ...keyOptions,
    annotations: values('-a, --annotation <key=value>', 'Something to sign with the digest; may be repeated'),
    ...subjectOptions,
  },
  examples: [
    { text: 'An image', command: 'sign --key cosign.key registry.example.com/team/app@sha256:…' },
    { text: 'An index with its images', command: 'sign --key cosign.key --recursive registry.example.com/team/app:1' },
  ],
  async run({ words, options }, context) {
    const annotations = parsePairs('--annotation', options.annotations);
    const references = await readReferences(words, context, options);
    await signEach(references, options, context, 'signed', async (place, how) => {
      const { signImage } = await import('../trust/sign/image.ts');
      return signImage(place, { ...how, annotations });
    });
  },
});
