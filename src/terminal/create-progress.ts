import type { Progress, ProgressOptions } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Bars on a terminal, one line now and then elsewhere, nothing when quiet. */
export async function createProgress(terminal: Terminal, options: ProgressOptions): Promise<Progress> {
  if (options.quiet) return { event: () => {}, stop: () => {} };
  if (terminal.err$.isTTY) return (await import('./progress-bars.ts')).createBars(terminal, options);
  return (await import('./progress-lines.ts')).createLines(terminal, options);
}
