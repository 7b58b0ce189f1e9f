import { onOneLine } from '../model/json-text.ts';
import { visible } from '../model/quote.ts';
import { escapeHidden, formatJson } from '../terminal/json.ts';
import type { Attested } from '../trust/verify/attested.ts';
import type { AttestationVerdict } from '../trust/verify/verify.ts';
import { defineCommand, flag, value, values } from './command-line/command.ts';
import { parseChoice, parsePairs } from './command-line/option-values.ts';
import { jsonOption, readingOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from './command-line/several.ts';
import { openAuthorities, signerOptions } from './key/who-may-sign.ts';
import { whoSigned } from './key/who-signed.ts';
import { defaultType, typeOption } from './signing/type-option.ts';
import { judgeOne, referenceRules, verifiedPlatform } from './verify/judge-one.ts';

export const verifyAttestation = defineCommand({
  name: 'verify-attestation',
  summary: 'Verify what is attested of images, and print it',
  description:
    'Looks for attestations of the digest that REF has now: among what refers to it, and under the tag sha256-….att. Of each\n' +
    'that counts, the predicate is printed as a line of JSON; equal ones once. Stderr says which counted, and why others did\n' +
    'not. Nothing but the registry is contacted.\n\n' +
    'An attestation counts if a key, an identity or a trust store that is named signed it, of this digest, with the type that\n' +
    '--type says and all values that --field asks for. Its own statement says of which type it is: annotations say nothing. Without one that counts,\n' +
    'the status is 11. A list that cannot be read is a failure of its own, and never taken for none. A signature is no\n' +
    `attestation.\n\n${severalHelp}`,
  arguments: [{ ...severalImages('REF'), storeToo: true }],
  options: {
    ...signerOptions,
    type: typeOption,
    field: values('--field <path=value>', 'What the predicate must have, as builder.id=https://…; may be repeated'),
    reference: value('--reference <rule>', 'Which name it must be of: any (default), repository or exact', {
      choices: referenceRules,
    }),
    statement: flag('--statement', 'Print whole statements, in place of predicates'),
    platform: verifiedPlatform,
    json: jsonOption,
    ...readingOptions,
  },
  examples: [
    {
      text: 'How an image was built',
      command: 'verify-attestation --key cosign.pub --type slsaprovenance registry.example.com/team/app:1',
    },
    {
      text: 'Only if a certain builder built it',
      command:
        'verify-attestation --key cosign.pub --type slsaprovenance1 --field runDetails.builder.id=https://builder.example.com registry.example.com/team/app:1',
    },
  ],
  async run({ words, options }, context) {
    const reference = parseChoice('--reference', options.reference ?? 'any', referenceRules);
    const fields = parsePairs('--field', options.field);
    const { parsePredicateType } = await import('../trust/formats/predicate-types.ts');
    const { type = defaultType } = options;
    parsePredicateType(type);
    const references = await readReferences(words, context, options);
    const rules = { authorities: await openAuthorities(options, context), reference, attested: { type, fields } };
    const { terminal } = context;
    await forEachReference(references, { terminal, what: 'verified', onlyAsks: true }, async (word) => {
      const { verdicts, ...judged } = await judgeOne(
        word,
        options,
        context,
        async (place, opts) => {
          const [{ judgeAttestations }, { judgeImage }] = await Promise.all([
            import('../trust/verify/verify.ts'),
            import('../trust/verify/image.ts'),
          ]);
          return judgeImage(place, judgeAttestations, (name) => ({ ...rules, name }), opts);
        },
        { what: 'attestation', notCounted: (all) => all.map(told) },
      );
      return async () => {
        if (options.json) {
          const found = verdicts.map((verdict) => record(verdict, options.statement));
          return terminal.out(`${formatJson(judged).slice(0, -1)},"attestations":[${found.join(',')}]}\n`);
        }
        for (const verdict of verdicts) terminal.note(`${judged.image}: ${told(verdict)}`);
        // An attestation may be there in both forms.
        const found = new Map(verdicts.flatMap(({ accepted }) => (accepted ? [keyed(accepted.attested)] : [])));
        for (const { statement, predicateText } of found.values()) {
          await terminal.out(`${line(options.statement ? statement : predicateText)}\n`);
        }
      };
    });
  },
});

function keyed(attested: Attested): readonly [string, Attested] {
  return [attested.statement, attested];
}

function told({ form, at, blob, accepted, reason }: AttestationVerdict): string {
  if (!accepted) {
    return `${form} ${at}${blob === undefined ? '' : ` (${blob})`} does not count: ${reason}`;
  }
  const { signedBy, identity, attested } = accepted;
  const of = identity === undefined ? '' : ` for ${visible(identity)}`;
  return `${form} ${at} counts: ${visible(attested.predicateType)} signed by ${whoSigned(signedBy)}${of}`;
}

/** In JSON. What was attested stays as it was signed: numbers too that JavaScript has not. */
function record({ form, at, blob, accepted, reason }: AttestationVerdict, whole: boolean): string {
  const { attested, ...by } = accepted ?? {};
  const { predicateType } = attested ?? {};
  const head = formatJson({
    form,
    at,
    blob: blob ?? null,
    counts: accepted !== undefined,
    ...by,
    predicateType,
    reason,
  });
  if (!attested) return head;
  const [name, text] = whole ? ['statement', attested.statement] : ['predicate', attested.predicateText];
  return `${head.slice(0, -1)},"${name}":${line(text)}}`;
}

function line(json: string): string {
  return escapeHidden(onOneLine(json));
}
