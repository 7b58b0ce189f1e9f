/** For commands that take several references, and `-` for those on standard input. */
import type { Context } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { withoutTransport } from '../../places/misread.ts';
import { reportOne } from '../../terminal/report.ts';

/** Enough for several hundred thousand names. */
const maxBytes = 16 * 1024 * 1024;

/** For help. */
export const severalHelp =
  'With several references, a failure of one does not stop the others; stderr says which failed.';

/** The same for commands that move images. */
export const movedTogetherHelp =
  'Several references move together: what they share moves once, and their lines are printed in the order of the\n' +
  'references. A failure of one does not stop the others; stderr says which failed.';

/** The argument of these commands. @param what What one of them names. */
export function severalImages<L extends string>(label: L, what = 'The image') {
  const summary = `${what}, or several; - reads them from standard input`;
  return { label, summary, arity: 'many', completes: 'image' } as const;
}

export interface References {
  readonly words: readonly string[];
  /** Whether there may be several. With one word other than `-`, the result has the form for one image. */
  readonly several: boolean;
}

/**
 * The references that a command processes.
 *
 * @param given Its arguments. `-` is replaced by the lines of standard input, without empty ones.
 * @throws OciError USAGE for a second `-`, and for `-` together with `--password-stdin`.
 */
export async function readReferences(
  given: readonly string[],
  { stdin, signal, terminal }: Context,
  opts: { readonly passwordStdin?: boolean } = {},
): Promise<References> {
  const dashes = given.filter((word) => word === '-').length;
  if (dashes === 0) return { words: given, several: given.length > 1 };
  refuseTwoReaders('-', opts, 'log in first, or give the references as arguments');
  if (dashes > 1) throw new OciError('USAGE', '- is given twice, but standard input can be read only once');
  const { readInput } = await import('../../terminal/prompt.ts');
  const text = await readInput(stdin(), { maxBytes, what: 'that is no list of references', signal });
  const lines = text
    .split('\n')
    .map((line) => withoutTransport(line.trim()))
    .filter((line) => line !== '');
  const words = given.flatMap((word) => (word === '-' ? lines : [word]));
  if (words.length === 0) terminal.note('standard input names nothing: nothing to do');
  return { words, several: true };
}

/** @param word An argument that is a file, or `-` for standard input. @throws OciError USAGE if a password is read from there */
export function refuseTwoReaders(
  word: string | undefined,
  { passwordStdin = false }: { readonly passwordStdin?: boolean },
  hint = 'log in first, or name a file',
): void {
  if (word !== '-' || !passwordStdin) return;
  throw new OciError('USAGE', 'conflicting options: - and --password-stdin both read standard input', { hint });
}

interface ReferencesOptions {
  readonly terminal: Context['terminal'];
  /** The operation that failed: `pulled`. */
  readonly what: string;
  /** How many run at once. Default 9. */
  readonly atOnce?: number | undefined;
  /** Whether the command only asks: then the rest is given up where stdout's reader has gone. */
  readonly onlyAsks?: boolean | undefined;
}

/** Most commands wait for answers more than for bytes. */
const parallelReferences = 9;

/**
 * Runs an operation for each reference, several at once, and prints the results in the order of the references. A failure
 * does not stop the others.
 *
 * @param start Does the work, and returns what prints the result. Called in the order of the references.
 * @throws OciError the only error; with several references one with the first error's code if all failed, otherwise
 * PARTLY_FAILED.
 * CANCELLED at once.
 */
export async function forEachReference(
  { words, several }: References,
  { terminal, what, atOnce = parallelReferences, onlyAsks = false }: ReferencesOptions,
  start: (word: string, at: number) => Promise<() => Promise<void>>,
): Promise<void> {
  const failures: OciError[] = [];
  const running: Promise<() => Promise<void>>[] = [];
  const readerHasGone = (): boolean => onlyAsks && terminal.outClosed;
  let started = 0;
  try {
    for (const word of words) {
      for (; started < words.length && running.length < atOnce; started++) {
        const one = start(words[started] ?? '', started);
        one.catch(() => {}); // reported in its turn
        running.push(one);
      }
      try {
        const print = await running.shift();
        await print?.();
      } catch (error) {
        if (!isOciError(error) || error.code === 'CANCELLED' || !several || words.length === 1) throw error;
        failures.push(error);
        reportOne(word, error, terminal);
      }
      if (readerHasGone()) break;
    }
  } finally {
    // What only asks ends with the connections.
    if (!readerHasGone()) await Promise.allSettled(running);
  }
  const [first] = failures;
  if (!first) return;
  const hint = 'the reason for each is above';
  if (failures.length === words.length) {
    const { code, status, endpoint, retryable } = first;
    const message = `none of ${words.length} could be ${what}`;
    throw new OciError(code, message, { hint, cause: first, status, endpoint, retryable });
  }
  throw new OciError('PARTLY_FAILED', `${failures.length} of ${words.length} could not be ${what}`, { hint });
}
