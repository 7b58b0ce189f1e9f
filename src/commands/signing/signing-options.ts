/** What `sign` and `attest` have in common: who signs, and where the result goes. */
import type { Context, ServiceFlags } from '../../app/context.ts';
import { splitDigest } from '../../places/split-digest.ts';
import { formatJson } from '../../terminal/json.ts';
import type { SignedImage, SigningOptions, SigningPlace } from '../../trust/sign/image.ts';
import { flag, value } from '../command-line/command.ts';
import { parseChoice } from '../command-line/option-values.ts';
import { jsonOption, registryOptions } from '../command-line/options.ts';
import { forEachReference, type References } from '../command-line/several.ts';
import { Turns } from '../command-line/turns.ts';
import { openSigner } from '../key/open-key.ts';
import { passwordOption } from '../key/password.ts';
import { openTarget } from '../moving/open-target.ts';

/** As the trust layer has them, which is loaded when the command runs. */
const formats = ['both', 'tag', 'bundle'] as const;

/** The argument of these commands. */
export const signedArgument = {
  label: 'REF',
  summary: 'NAME:TAG or NAME@DIGEST, or several; - reads them from standard input',
  arity: 'many',
  completes: 'image',
} as const;

/** Who signs. */
export const keyOptions = {
  key: value('--key <file>', "The private key: cosign's, or ECDSA or RSA in PEM"),
  passwordFile: passwordOption,
  signatureFormat: value('--signature-format <form>', 'Where it goes: both (default), tag or bundle', {
    choices: formats,
  }),
};

/** What is signed, for whom. */
export const subjectOptions = {
  recursive: flag('-r, --recursive', 'Of an index, the images in it too'),
  identity: value('--sign-container-identity <name>', 'The name to sign, in place of the repository'),
  json: jsonOption,
  ...registryOptions,
};

type Options = ServiceFlags & {
  readonly key: string | undefined;
  readonly passwordFile: string | undefined;
  readonly signatureFormat: string | undefined;
  readonly recursive: boolean;
  readonly identity: string | undefined;
  readonly json: boolean;
};

/**
 * Signs each reference, and prints what was signed.
 *
 * @param what What failed, for messages: `signed`.
 */
export async function signEach(
  references: References,
  options: Options,
  context: Context,
  what: 'signed' | 'attested',
  sign: (place: SigningPlace, options: SigningOptions) => Promise<SignedImage>,
): Promise<void> {
  const { terminal, signal } = context;
  const { signatureFormat: word, recursive, identity, json } = options;
  const format = word === undefined ? undefined : parseChoice('--signature-format', word, formats);
  const signer = await openSigner(options, context);
  const warn = (text: string): void => terminal.warn(text);
  // Two names may have one digest, and so one tag for its signatures.
  const turns = new Turns();
  await forEachReference(references, { terminal, what }, async (reference) => {
    const { name, digest } = splitDigest(reference);
    const result = await turns.run(name.replace(/:[^/]*$/, ''), async () => {
      await using place = await openTarget(name, options, context);
      const signed = await sign(place, { signer, format, recursive, identity, digest, signal, warn });
      await place.finish();
      return signed;
    });
    return async () => {
      if (json) await terminal.out(`${formatJson(result)}\n`);
      else for (const { reference: one } of result.signed) await terminal.out(`${one}\n`);
    };
  });
}
