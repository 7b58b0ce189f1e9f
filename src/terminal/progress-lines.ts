import { formatBytes } from './format.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { Tally } from './tally.ts';
import type { Terminal } from './terminal.ts';

const intervalMs = 5000;

/** One aggregate line every few seconds, for logs; none for what is over before the first. */
export function createLines(terminal: Terminal, { title }: ProgressOptions): Progress {
  const tally = new Tally();
  const startedAtMs = Date.now();
  let told = -1;
  const timer = setInterval(() => {
    const { bytes } = tally;
    // A transfer that stands still says so once and then keeps quiet.
    if (bytes === told) return;
    told = bytes;
    const rate = tally.movedBytes / ((Date.now() - startedAtMs) / 1000);
    terminal.note(
      `${title}: ${formatBytes(bytes)} of ${formatBytes(tally.totalBytes)}, ` +
        `${tally.doneBlobs} of ${tally.totalBlobs} blobs, ${formatBytes(Math.round(rate))}/s`,
    );
  }, intervalMs);
  timer.unref();
  return {
    event(event) {
      tally.event(event);
      if (event.type === 'waiting') terminal.note(`${title}: ${event.reason}`);
    },
    stop: () => clearInterval(timer),
  };
}
