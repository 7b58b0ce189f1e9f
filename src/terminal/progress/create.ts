import type { Terminal } from '../terminal.ts';
import type { Progress, ProgressOptions } from './progress.ts';

/**
 * Shows progress in the requested mode. `auto`: bars on a terminal; an occasional line elsewhere, on a dumb terminal
 * and if CI is set; nothing with `--quiet`, or where stderr is for programs. `bars` becomes `plain` if drawing is impossible.
 */
export async function createProgress(terminal: Terminal, options: ProgressOptions): Promise<Progress> {
  const { mode = 'auto', quiet } = options;
  if (mode === 'none' || (mode === 'auto' && (quiet || terminal.json))) {
    return { event: () => {}, say: (line) => terminal.out(`${line}\n`), end: async () => {} };
  }
  if (mode === 'json') return (await import('./ndjson.ts')).createNdjson(terminal, options);
  const { isPossible, isWanted } = terminal.drawing;
  if (mode === 'bars' ? isPossible : mode === 'auto' && isWanted) {
    return (await import('./bars.ts')).createBars(terminal, options);
  }
  return (await import('./plain.ts')).createPlain(terminal, options);
}
