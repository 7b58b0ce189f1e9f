import type { TransferEvent } from '../model/events.ts';
import type { Terminal } from './terminal.ts';

/** Shows a transfer to whoever watches stderr. */
export interface Progress {
  event(event: TransferEvent): void;
  /** Takes it off the screen; later events are ignored. */
  stop(): void;
}

export interface ProgressOptions {
  /** What is being done: `pulling alpine:3`. */
  readonly title: string;
  readonly quiet: boolean;
}

/** Bars on a terminal, one line now and then elsewhere, nothing when quiet. */
export async function createProgress(terminal: Terminal, options: ProgressOptions): Promise<Progress> {
  if (options.quiet) return { event: () => {}, stop: () => {} };
  if (terminal.err$.isTTY) return (await import('./progress-bars.ts')).createBars(terminal, options);
  return (await import('./progress-lines.ts')).createLines(terminal, options);
}
