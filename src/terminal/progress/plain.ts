import { shortDigest } from '../../model/digest.ts';
import { ProgressTracker } from '../../model/progress/tracker.ts';
import { formatBytes } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import { formatSeconds, summaryLine } from './figures.ts';
import { actions, type Progress, type ProgressOptions } from './progress.ts';

const intervalMs = 5000;

/**
 * For logs: one line for the whole every few seconds, one for each delay, and a summary. A run that ends before the
 * first line has no summary either, unless this mode was requested.
 */
export function createPlain(terminal: Terminal, { mode, action, name, route }: ProgressOptions): Progress {
  const tracker = new ProgressTracker();
  const words = actions[action];
  const title = `${words.doing.toLowerCase()} ${name}`;
  const reasons = new Set<string>();
  let told: number | undefined;
  let ended = false;
  const timer = setInterval(() => {
    const { bytes, totalBytes, doneBlobs, blobs, bytesPerSecond, secondsLeft } = tracker.totals();
    // A stalled transfer prints its figures only once.
    if (bytes === told) return;
    told = bytes;
    reasons.clear();
    const left = secondsLeft === null || secondsLeft === 0 ? '' : `, ${formatSeconds(secondsLeft)} left`;
    terminal.note(
      `${title}: ${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${doneBlobs} of ${blobs} blobs, ` +
        `${formatBytes(Math.round(bytesPerSecond))}/s${left}`,
    );
  }, intervalMs);
  timer.unref();
  return {
    event(event) {
      if (ended) return;
      tracker.event(event);
      // Report a reason only once, even if several layers wait for the same server.
      if (event.type !== 'waiting' || reasons.has(event.reason)) return;
      reasons.add(event.reason);
      terminal.note(`${title}: ${shortDigest(event.node.digest)}: ${event.reason}`);
    },
    say: (line) => terminal.out(`${line}\n`),
    async end(completed) {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      if (completed && (told !== undefined || mode === 'plain')) {
        terminal.note(summaryLine(tracker.summary(), words, { route: route?.() }));
      }
    },
  };
}
