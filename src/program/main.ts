/** The entry of the program: words in, exit status out. */
import { writeSync } from 'node:fs';
import { version } from '../version.ts';
import type { Surroundings } from './cli.ts';

type CommandLine = Pick<typeof import('./cli.ts'), 'run'>;

/**
 * Runs the command line.
 *
 * @param words The words after `ocictl`.
 * @param surroundings Given by a program that runs the command line inside itself.
 * @param load Loads the rest of the command line.
 * @returns The exit status, as docs/exit-codes.md lists them.
 */
export async function main(
  words: readonly string[],
  surroundings?: Surroundings,
  load: () => CommandLine | Promise<CommandLine> = () => import('./cli.ts'),
): Promise<number> {
  // Print the version without loading anything: scripts ask for it most.
  if (!surroundings && words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
    if (printed(`${version}\n`)) return 0;
  }
  const { run } = await load();
  return run(words, surroundings);
}

/** Whether stdout took the text. If it did not, the full program reports why. */
function printed(text: string): boolean {
  try {
    return writeSync(1, text) === text.length;
  } catch {
    return false;
  }
}
