/** Words in, exit status out. */
import { tuneEngine } from './engine.ts';
import { version } from './version.ts';

/**
 * Runs the command line.
 *
 * @param words The words after `ocictl`.
 * @returns The exit status, as docs/exit-codes.md lists them.
 */
export async function main(words: readonly string[]): Promise<number> {
  // What is asked most by scripts needs nothing loaded.
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  tuneEngine(process.env);
  const { run } = await import('./cli.ts');
  return run(words);
}
