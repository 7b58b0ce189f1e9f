import { OciError } from '../model/errors.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { readWhole } from './command-line/read-whole.ts';
import { readReferences, severalHelp } from './command-line/several.ts';
import { keyOptions, signEach, signedArgument, subjectOptions } from './signing/signing-options.ts';
import { defaultType, typeOption } from './signing/type-option.ts';

export const attest = defineCommand({
  name: 'attest',
  summary: 'Attest how images were built, or what is in them',
  description:
    'Signs a statement that says of the digest of REF what FILE has, the predicate, and prints NAME@DIGEST. The statement is\n' +
    'stored beside the image in both forms of cosign: under the tag sha256-….att, and as a bundle that refers to the image.\n' +
    'Those of others stay; one that is there already, by the same key and of the same content, is not added again.\n\n' +
    '--type says what the file is: a short name of cosign, or a URI. Whether it is such a document is checked for SLSA, SPDX,\n' +
    'CycloneDX, OpenVEX and links. The predicates spdx and custom have the text of the file, all others its JSON.\n\n' +
    '--replace removes what is there of the same type, whoever signed it, if the registry deletes manifests.\n\n' +
    severalHelp,
  arguments: [signedArgument],
  options: {
    predicate: value('--predicate <file>', 'What is attested, or - for standard input'),
    type: typeOption,
    ...keyOptions,
    replace: flag('--replace', 'Remove other attestations of the same type'),
    ...subjectOptions,
  },
  examples: [
    {
      text: 'How an image was built',
      command:
        'attest --key cosign.key --type slsaprovenance1 --predicate provenance.json registry.example.com/team/app:1',
    },
    {
      text: 'What is in an image, from another program',
      command: 'attest --key cosign.key --type spdxjson --predicate - registry.example.com/team/app:1',
    },
  ],
  async run({ words, options }, context) {
    const { predicate: file, type = defaultType, replace } = options;
    if (file === undefined) {
      throw new OciError('USAGE', 'the --predicate option is missing', {
        hint: 'name the file with what is attested, or - for standard input',
      });
    }
    const stdinUsers = [file === '-', words.includes('-'), options.passwordStdin, options.passwordFile === '-'];
    if (stdinUsers.filter(Boolean).length > 1) {
      throw new OciError('USAGE', 'standard input is given twice, but can be read only once', {
        hint: 'name a file with --predicate',
      });
    }
    const [{ maxPredicateBytes, readPredicate }, { parsePredicateType }] = await Promise.all([
      import('../trust/formats/predicate.ts'),
      import('../trust/formats/predicate-types.ts'),
    ]);
    const predicateType = parsePredicateType(type);
    const input = await context.openInput(file);
    const bytes = await readWhole(input, { maxBytes: maxPredicateBytes, what: 'predicate', signal: context.signal });
    const predicate = readPredicate(bytes, type, input.name, new Date());
    const references = await readReferences(words, context, options);
    await signEach(references, options, context, 'attested', async (place, how) => {
      const { attestImage } = await import('../trust/sign/image.ts');
      return attestImage(place, { ...how, predicateType, predicate, replace });
    });
  },
});
