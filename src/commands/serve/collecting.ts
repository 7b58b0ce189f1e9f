import type { Served } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { CollectionMetrics } from '../../server/metrics/collection-metrics.ts';
import { counted, formatBytes } from '../../terminal/format.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { parseTime } from './announcement.ts';

/** The first collection comes after a random part of this time, or of the interval. */
const firstWithinMs = 5 * 60 * 1_000;
/** Later ones come up to this part of the interval earlier or later, so that several servers do not meet. */
const jitter = 0.1;
const maxTimerMs = 2 ** 31 - 1;

/** @throws OciError USAGE */
export function readInterval(
  text: string | undefined,
  { root, readOnly }: { readonly root: string | undefined; readonly readOnly: boolean },
): number | undefined {
  if (text === undefined) return undefined;
  if (root === undefined) throw new OciError('USAGE', '--gc-interval is for --root', { hint: 'leave it out' });
  if (readOnly) {
    throw new OciError('USAGE', 'conflicting options: --gc-interval and --read-only', {
      hint: 'leave out one of them',
    });
  }
  return Math.min(parseTime(text), maxTimerMs / 2);
}

/** Where collections are told. */
interface Told {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly metrics: CollectionMetrics | undefined;
}

/**
 * Collects garbage now and then, never twice at once. A failure is told, and serving goes on.
 *
 * @returns Stops it, also a collection that is running.
 */
export function collectEach(
  intervalMs: number | undefined,
  collect: Served['collect'],
  { terminal, json, metrics }: Told,
): () => Promise<void> {
  if (intervalMs === undefined || collect === undefined) return async () => {};
  metrics?.expect();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const wait = (ms: number): void => {
    timer = setTimeout(() => {
      running = once().finally(() => {
        if (!stop.signal.aborted) wait(intervalMs * (1 + jitter * (2 * Math.random() - 1)));
      });
    }, ms);
  };
  const once = async (): Promise<void> => {
    const begun = performance.now();
    try {
      const result = await collect({ intervalMs, signal: stop.signal });
      if (result === undefined) return; // another process does it
      const { freed, links, unfinished } = result;
      const durationMs = Math.round(performance.now() - begun);
      const facts = { deletedBlobs: freed.count, freedBytes: freed.bytes + unfinished.bytes, links, durationMs };
      metrics?.ended({ durationMs, freed: { blobs: freed.count, bytes: facts.freedBytes } });
      if (json) terminal.data({ type: 'collection', time: new Date().toISOString(), ...facts });
      else {
        const what = `${counted(freed.count, 'blob')} and ${counted(unfinished.count, 'unfinished transfer')}`;
        terminal.note(`collected ${what} (${formatBytes(facts.freedBytes)}) in ${(durationMs / 1_000).toFixed(1)} s`);
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      metrics?.ended({ durationMs: performance.now() - begun, freed: undefined });
      terminal.warn(`a collection failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  wait(Math.random() * Math.min(intervalMs, firstWithinMs));
  return async () => {
    clearTimeout(timer);
    stop.abort();
    await running;
  };
}
