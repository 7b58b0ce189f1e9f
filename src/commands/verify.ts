import { quote, visible } from '../model/quote.ts';
import { formatJson } from '../terminal/json.ts';
import type { Verdict } from '../trust/verify/verdict.ts';
import { defineCommand, value, values } from './command-line/command.ts';
import { parseChoice, parsePairs } from './command-line/option-values.ts';
import { jsonOption, policyOption, readingOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from './command-line/several.ts';
import { openAuthorities, signerOptions } from './key/who-may-sign.ts';
import { whoSigned } from './key/who-signed.ts';
import { judgeOne, referenceRules, verifiedPlatform } from './verify/judge-one.ts';

export const verify = defineCommand({
  name: 'verify',
  summary: 'Verify the signatures of images',
  description:
    'Looks for signatures of the digest that REF has now: among what refers to it, and under the tag sha256-….sig. One\n' +
    'signature is enough: by one of the keys, by a certificate for an identity, or by one of a trust store. It prints\n' +
    'NAME@DIGEST, with the signatures that count; why others do not is told on stderr. Whoever pulls NAME@DIGEST afterwards\n' +
    'gets what was verified. Nothing but the registry is contacted.\n\n' +
    'Without a signature that counts, the status is 11. A list of signatures that cannot be read is a failure of its own, and\n' +
    'never taken for none. An attestation is no signature.\n\n' +
    'A signature names the repository that it was made for, which is printed. --reference repository asks that it is this one,\n' +
    '--reference exact that it is NAME:TAG as given. Bundles name none.\n\n' +
    '--policy asks whether a copy of REF with all its images would comply, and says by which rule. So does "trust" in config.yaml\n' +
    `where no option says who must have signed.\n\n${severalHelp}`,
  arguments: [{ ...severalImages('REF'), storeToo: true }],
  options: {
    ...signerOptions,
    annotations: values('-a, --annotation <key=value>', 'What the signature must have signed too; may be repeated'),
    reference: value('--reference <rule>', 'Which name it must have signed: any (default), repository or exact', {
      choices: referenceRules,
    }),
    platform: verifiedPlatform,
    json: jsonOption,
    policy: policyOption,
    ...readingOptions,
  },
  examples: [
    { text: 'By a key', command: 'verify --key cosign.pub registry.example.com/team/app:1' },
    {
      text: 'By an identity (keyless)',
      command:
        'verify --certificate-identity ci@example.com --certificate-oidc-issuer https://issuer.example.com ' +
        '--trusted-root trusted_root.json registry.example.com/team/app:1',
    },
    { text: 'By a trust store (notation)', command: 'verify --trust-store certs registry.example.com/team/app:1' },
    {
      text: 'Pull what was verified',
      command: 'verify --json --key cosign.pub registry.example.com/team/app:1 | jq -r .image | xargs ocictl pull',
    },
  ],
  async run({ words, options }, context) {
    const reference = parseChoice('--reference', options.reference ?? 'any', referenceRules);
    const annotations = parsePairs('--annotation', options.annotations);
    const references = await readReferences(words, context, options);
    const { policy, ...flags } = options;
    const { annotations: signed, reference: name, platform } = options;
    const signers = Object.keys(signerOptions).map((key) => options[key as keyof typeof signerOptions]);
    const chosen = isGiven([signed, name, platform, ...signers]);
    if (policy !== undefined || (!chosen && (await context.hasPolicy(options)))) {
      const { verifyByPolicy } = await import('./verify/by-policy.ts');
      return await verifyByPolicy(references, { ...options, chosen }, context);
    }
    const rules = { authorities: await openAuthorities(options, context), reference, annotations };
    const { terminal } = context;
    await forEachReference(references, { terminal, what: 'verified', onlyAsks: true }, async (word) => {
      const judged = await judgeOne(
        word,
        flags,
        context,
        async (place, opts) => {
          const [{ judgeSignatures }, { judgeImage }] = await Promise.all([
            import('../trust/verify/verify.ts'),
            import('../trust/verify/image.ts'),
          ]);
          return judgeImage(place, judgeSignatures, (name) => ({ ...rules, name }), opts);
        },
        { what: 'signature', notCounted },
      );
      return async () => {
        const { verdicts, ...rest } = judged;
        const { image } = rest;
        const result = { ...rest, signatures: verdicts.map(record) };
        if (options.json) return terminal.out(`${formatJson(result)}\n`);
        for (const line of notCounted(verdicts)) terminal.note(`${image}: ${line}`);
        await terminal.out([image, ...verdicts.flatMap(counted), ''].join('\n'));
      };
    });
  },
});

function isGiven(values: readonly unknown[]): boolean {
  return values.some((value) => (Array.isArray(value) ? value.length > 0 : Boolean(value)));
}

function record({ form, at, blob, accepted, reason }: Verdict): object {
  return {
    form,
    at,
    blob: blob ?? null,
    counts: accepted !== undefined,
    ...accepted,
    ...(reason !== undefined && { reason }),
  };
}

function counted({ form, at, accepted }: Verdict): readonly string[] {
  if (!accepted) return [];
  const { signedBy, identity, annotations } = accepted;
  const signed = Object.entries(annotations).map(([name, text]) => ` ${visible(name)}=${quote(text)}`);
  return [
    `  ${form} ${at}: signed by ${whoSigned(signedBy)}${identity === undefined ? '' : ` for ${visible(identity)}`}${signed.join('')}`,
  ];
}

function notCounted(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.flatMap(({ form, at, blob, reason }) =>
    reason === undefined ? [] : [`${form} ${at}${blob === undefined ? '' : ` (${blob})`} does not count: ${reason}`],
  );
}
