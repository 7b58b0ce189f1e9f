import { ProgressReporter } from '../../model/progress/reporter.ts';
import type { Terminal } from '../terminal.ts';
import type { Progress, ProgressOptions } from './progress.ts';

/** Writes every progress event as a line of JSON. */
export function createNdjson(terminal: Terminal, { action }: ProgressOptions): Progress {
  const reporter = new ProgressReporter(action, (event) => terminal.data(event));
  let ended = false;
  return {
    event(event) {
      if (!ended) reporter.event(event);
    },
    waiting: (wait) => reporter.waiting(wait),
    say: (line) => terminal.out(`${line}\n`),
    async end(completed) {
      if (!ended) reporter.end(completed);
      ended = true;
    },
  };
}
