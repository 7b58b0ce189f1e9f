/** Words in, exit status out. */
import { writeSync } from 'node:fs';
import { tuneEngine } from '../app/engine.ts';
import { version } from '../version.ts';
import type { Surroundings } from './cli.ts';

type CommandLine = Pick<typeof import('./cli.ts'), 'run'>;

/**
 * Runs the command line.
 *
 * @param words The words after `ocictl`.
 * @param surroundings For a program that runs it inside itself, whose engine is left as it is.
 * @param load Loads all that is behind the quickest answers.
 * @returns The exit status, as docs/exit-codes.md lists them.
 */
export async function main(
  words: readonly string[],
  surroundings?: Surroundings,
  load: () => CommandLine | Promise<CommandLine> = () => import('./cli.ts'),
): Promise<number> {
  // What is asked most by scripts needs nothing loaded.
  if (!surroundings && words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
    if (printed(`${version}\n`)) return 0;
  }
  if (!surroundings) tuneEngine(process.env);
  const { run } = await load();
  return run(words, surroundings);
}

/** Whether stdout took it; why it did not is told by what runs then. */
function printed(text: string): boolean {
  try {
    return writeSync(1, text) === text.length;
  } catch {
    return false;
  }
}
