import type { Terminal } from '../terminal.ts';
import type { Progress, ProgressOptions } from './progress.ts';

/**
 * Shows progress as it was asked for. `auto`: bars on a terminal, a line now and then elsewhere, on a dumb terminal, and
 * where CI is set; nothing with `--quiet`. `bars` where nothing can be drawn is `plain`.
 */
export async function createProgress(terminal: Terminal, options: ProgressOptions): Promise<Progress> {
  const { mode = 'auto', quiet } = options;
  if (mode === 'none' || (mode === 'auto' && quiet)) {
    return { event: () => {}, say: (line) => terminal.out(`${line}\n`), end: async () => {} };
  }
  if (mode === 'json') return (await import('./ndjson.ts')).createNdjson(terminal, options);
  const { isPossible, isWanted } = terminal.drawing;
  if (mode === 'bars' ? isPossible : mode === 'auto' && isWanted) {
    return (await import('./bars.ts')).createBars(terminal, options);
  }
  return (await import('./plain.ts')).createPlain(terminal, options);
}
