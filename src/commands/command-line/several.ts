/** Commands that take several references, and `-` for those on standard input. */
import type { Context } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';

/** Some hundred thousand names. */
const maxBytes = 16 * 1024 * 1024;

/** For help. */
export const severalHelp =
  'With several references, a failure of one does not stop the others; stderr says which failed.';

interface References {
  readonly words: readonly string[];
  /** Whether there may be several: with one word that is not `-` the result looks as it does for one. */
  readonly several: boolean;
}

/**
 * The references that a command is about.
 *
 * @param given Its arguments. `-` stands for the lines of standard input; empty ones do not count.
 * @throws OciError USAGE for a second `-`, and beside `--password-stdin`.
 */
export async function readReferences(
  given: readonly string[],
  { stdin, signal, terminal }: Context,
  opts: { readonly passwordStdin?: boolean } = {},
): Promise<References> {
  const dashes = given.filter((word) => word === '-').length;
  if (dashes === 0) return { words: given, several: given.length > 1 };
  if (opts.passwordStdin) {
    throw new OciError('USAGE', 'conflicting options: - and --password-stdin both read standard input', {
      hint: 'log in first, or give the references as arguments',
    });
  }
  if (dashes > 1) throw new OciError('USAGE', '- stands twice, and standard input can be read once');
  const { readInput } = await import('../../terminal/prompt.ts');
  const text = await readInput(stdin(), { maxBytes, what: 'that is no list of references', signal });
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const words = given.flatMap((word) => (word === '-' ? lines : [word]));
  if (words.length === 0) terminal.note('standard input names nothing: nothing to do');
  return { words, several: true };
}

/**
 * Does something for each reference. A failure of one does not stop the others.
 *
 * @param what What could not be done: `pulled`.
 * @throws OciError the only one there is; of several the first one where all failed, else PARTLY_FAILED. CANCELLED at once.
 */
export async function forEachReference(
  { words, several }: References,
  { terminal, what }: { readonly terminal: Context['terminal']; readonly what: string },
  run: (word: string) => Promise<void>,
): Promise<void> {
  const failures: OciError[] = [];
  for (const word of words) {
    try {
      await run(word);
    } catch (error) {
      if (!isOciError(error) || error.code === 'CANCELLED' || !several || words.length === 1) throw error;
      failures.push(error);
      terminal.note(`${word}: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}`);
    }
    if (terminal.outClosed) break;
  }
  const [first] = failures;
  if (!first) return;
  if (failures.length === words.length) throw first;
  throw new OciError('PARTLY_FAILED', `${failures.length} of ${words.length} could not be ${what}`, {
    hint: 'what is wrong with each of them stands above',
  });
}
