/** Where the password of a signing key comes from: a file, `COSIGN_PASSWORD`, or a person. */
import type { Context } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { createPrompter } from '../../terminal/prompt.ts';
import { value } from '../command-line/command.ts';
import { readWhole } from '../command-line/read-whole.ts';

/** Of commands that open or make a private key. */
export const passwordOption = value(
  '--password-file <file>',
  'Read the password of the key from a file, or - for stdin',
);

/** How often a person may be wrong. */
const maxAttempts = 3;
const maxPasswordBytes = 64 * 1024;

/** What asks for the password of a key: a person up to three times, everything else once. */
export function keyPassword(
  file: string | undefined,
  context: Context,
): (attempt: number) => Promise<string | undefined> {
  let prompter: ReturnType<typeof createPrompter> | undefined;
  return async (attempt) => {
    const given = await givenPassword(file, context);
    if (given !== undefined) return attempt === 1 ? given : undefined;
    if (attempt > maxAttempts) return undefined;
    prompter ??= openPrompter(context);
    if (attempt > 1) context.terminal.note('Wrong password, try again');
    return prompter.secret('Password for the private key: ');
  };
}

/** The password of a new key; a person types it twice. @throws OciError USAGE if the two differ */
export async function newKeyPassword(file: string | undefined, context: Context): Promise<string> {
  const given = await givenPassword(file, context);
  if (given !== undefined) return given;
  const prompter = openPrompter(context);
  const password = await prompter.secret('Password for the private key: ');
  if ((await prompter.secret('The same again: ')) === password) return password;
  throw new OciError('USAGE', 'the two passwords differ', { hint: 'nothing was written: try again' });
}

async function givenPassword(file: string | undefined, context: Context): Promise<string | undefined> {
  if (file === undefined) return context.keyPassword();
  const bytes = await readWhole(await context.openInput(file), {
    maxBytes: maxPasswordBytes,
    what: 'password',
    signal: context.signal,
  });
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

function openPrompter(context: Context): ReturnType<typeof createPrompter> {
  const input = context.stdin();
  if (input.isTTY === true) {
    return createPrompter({ input, output: context.terminal.progressStream, signal: context.signal });
  }
  throw new OciError('USAGE', 'there is no terminal to ask for the password of the key', {
    hint: 'give it in the variable COSIGN_PASSWORD, or in a file with --password-file',
  });
}
