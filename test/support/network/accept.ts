import { createProgram, type GlobalValues, parseWords } from '../../../src/commands/command-line/program.ts';

export interface Accepted {
  /** The help that was printed on stdout. */
  readonly out: string;
  /** The global options, if a command was about to run; undefined if help was printed instead. */
  readonly globals: GlobalValues | undefined;
}

/**
 * Passes words to the program, up to the moment when the command would run.
 *
 * @throws OciError USAGE if they are refused.
 */
export async function accept(words: readonly string[]): Promise<Accepted> {
  let out = '';
  let globals: GlobalValues | undefined;
  const reached = new Error('the command would run now');
  const program = await createProgram(words, {
    version: '1.2.3',
    out: (text) => {
      out += text;
    },
    context: (values) => {
      globals = values;
      throw reached;
    },
  });
  try {
    await parseWords(program, words);
  } catch (error) {
    // Commander ends help by throwing too.
    if (error !== reached && !(error instanceof Error && 'exitCode' in error && error.exitCode === 0)) throw error;
  }
  return { out, globals };
}
