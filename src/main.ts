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
    if (await printed(`${version}\n`)) return 0;
  }
  tuneEngine(process.env);
  const { run } = await import('./cli.ts');
  return run(words);
}

/** Whether stdout took it; why it did not is told by what runs then. */
function printed(text: string): Promise<boolean> {
  process.stdout.once('error', () => {});
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(!error)));
}
