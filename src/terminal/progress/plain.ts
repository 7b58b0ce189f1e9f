import { monotonicMs } from '../../model/clock.ts';
import { shortDigest } from '../../model/digest.ts';
import type { TransferEvent, Waiting } from '../../model/events.ts';
import { ProgressTracker } from '../../model/progress/tracker.ts';
import { formatBytes } from '../format.ts';
import { SpacedLines } from '../spaced-lines.ts';
import type { Terminal } from '../terminal.ts';
import { formatSeconds, summaryLines } from './figures.ts';
import { actions, type Progress, type ProgressOptions } from './progress.ts';

/** Long runs write less often, so that their logs do not grow without limit. */
const intervals: readonly (readonly [untilMs: number, intervalMs: number])[] = [
  [60_000, 3000],
  [600_000, 10_000],
  [Number.POSITIVE_INFINITY, 30_000],
];

/** How often a transfer says that it has not got on. */
const stalledMs = 15_000;

/**
 * For logs: a line for the whole every few seconds, lines about delays, and a summary. Unless this mode was requested, a
 * run that is over before that writes nothing; on a terminal, the summary alone.
 */
export function createPlain(terminal: Terminal, options: ProgressOptions): Progress {
  return new Plain(terminal, options);
}

class Plain implements Progress {
  readonly #terminal: Terminal;
  readonly #options: ProgressOptions;
  readonly #tracker: ProgressTracker;
  readonly #startedMs = monotonicMs();
  readonly #title: string;
  readonly #waits: SpacedLines;
  readonly #isEager: boolean;
  #timer: NodeJS.Timeout | undefined;
  #told: { readonly bytes: number; readonly atMs: number } | undefined;
  #ended = false;

  constructor(terminal: Terminal, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#tracker = new ProgressTracker();
    this.#title = `${actions[options.action].doing.toLowerCase()} ${options.name}`;
    this.#isEager = options.mode === 'plain';
    this.#waits = new SpacedLines((line) => terminal.note(`${this.#title}: ${line}`));
    this.#schedule();
  }

  event(event: TransferEvent): void {
    if (this.#ended) return;
    this.#tracker.event(event);
    if (event.type === 'waiting') this.#waits.tell(`${shortDigest(event.node.digest)}: ${event.reason}`);
    if (event.type === 'images' && event.complete && this.#isEager) this.#begin();
  }

  waiting({ reason }: Waiting): void {
    this.#waits.tell(reason);
  }

  say(line: string): Promise<void> {
    return this.#terminal.out(`${line}\n`);
  }

  async end(completed: boolean): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#waits.close();
    const isWanted = this.#told !== undefined || this.#isEager || this.#terminal.err$.isTTY;
    if (!completed || !isWanted) return;
    const { action, route } = this.#options;
    const { columns, isPossible } = this.#terminal.drawing;
    const width = isPossible ? { columns } : {};
    for (const line of summaryLines(this.#tracker.summary(), actions[action], { route: route?.(), ...width })) {
      this.#terminal.note(line);
    }
  }

  #schedule(): void {
    const ms = monotonicMs() - this.#startedMs;
    const [, intervalMs = 0] = intervals.find(([untilMs]) => ms < untilMs) ?? [];
    this.#timer = setTimeout(() => {
      this.#tell();
      this.#schedule();
    }, intervalMs).unref();
  }

  /** Says what there is to do, once it is known, unless figures were told before. */
  #begin(): void {
    const { layers, totalBytes, blobs } = this.#tracker.totals();
    if (this.#told || blobs === 0) return;
    this.#told = { bytes: 0, atMs: monotonicMs() };
    const { found } = this.#tracker.images;
    const images = found > 1 ? `${found} images, ` : '';
    const many = `${layers} layer${layers === 1 ? '' : 's'}`;
    this.#terminal.note(`${this.#title}: ${images}${many}, ${formatBytes(totalBytes)}`);
  }

  #tell(): void {
    const { bytes, totalBytes, doneLayers, layers, blobs, bytesPerSecond, secondsLeft } = this.#tracker.totals();
    const atMs = monotonicMs();
    const isStalled = this.#told?.bytes === bytes;
    if (isStalled && atMs - (this.#told?.atMs ?? 0) < stalledMs) return;
    this.#told = { bytes, atMs };
    if (blobs === 0) return void this.#terminal.note(`${this.#title}: waiting for an answer`);
    const { found, finished } = this.#tracker.images;
    const perSecond = Math.round(bytesPerSecond);
    const parts = [
      ...(found > 1 ? [`${finished} of ${found} images`] : []),
      `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`,
      `${doneLayers} of ${layers} layer${layers === 1 ? '' : 's'}`,
      ...(isStalled ? ['nothing new'] : perSecond > 0 ? [`${formatBytes(perSecond)}/s`] : []),
      ...(secondsLeft ? [`${formatSeconds(secondsLeft)} left`] : []),
    ];
    this.#terminal.note(`${this.#title}: ${parts.join(', ')}`);
  }
}
