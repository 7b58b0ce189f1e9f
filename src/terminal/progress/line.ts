/** Formats a layer and the total as one line of a given width. */
import cliProgress from 'cli-progress';
import { shortDigest } from '../../model/digest.ts';
import type { ProgressTotals } from '../../model/events.ts';
import { hasEnded, type ProgressTracker, type TrackedBlob } from '../../model/progress/tracker.ts';
import { visible } from '../../model/quote.ts';
import type { Terminal } from '../terminal.ts';
import { endWord, formatSeconds, steadyBytes } from './figures.ts';
import type { ActionWords } from './progress.ts';

export interface Look {
  /** The maximum width of the line. */
  readonly columns: number;
  readonly paint: Terminal['paint'];
  /** Whether the terminal shows characters beyond ASCII. */
  readonly unicode: boolean;
  readonly words: ActionWords;
  readonly nowMs: number;
}

/** `8d55f1ae1234: `, a state, `12.4MB/31.0MB`, `8.20MB/s` and `1m 05s`, each with the spaces before it. */
const widths = { id: 14, state: 11, figures: 14, rate: 10, left: 8 };
/** Narrower lines have neither rates nor reasons. */
export const wideColumns = 60;
const leastBar = 8;
const idleAfterMs = 2000;

interface LayerOptions {
  /** The line on stdout about it, once it has ended. */
  readonly result?: string | undefined;
  /** The time left for it, where no other line tells it. */
  readonly secondsLeft?: number | null;
}

/** Whether it waits for a reason that is still true. */
export function isStopped({ state, resumesAtMs }: TrackedBlob, nowMs: number): boolean {
  return state === 'stopped' && (resumesAtMs === undefined || resumesAtMs > nowMs);
}

/** The line of a layer. */
export function layerLine(blob: TrackedBlob, look: Look, { result, secondsLeft }: LayerOptions = {}): string {
  const { paint, columns, words, nowMs } = look;
  const { node, state, bytes, reason, resumesAtMs } = blob;
  const id = `${shortDigest(node.digest)}: `;
  if (hasEnded(blob)) {
    const text = clip(result ?? id + endWord(blob, words), look);
    return state === 'transferred' ? text : paint('dim', text);
  }
  const size = steadyBytes(node.size);
  if (state === 'waiting') {
    const start = `${id}Waiting`;
    const end = columns < widths.id + widths.state + widths.figures ? '' : size;
    return paint('dim', clip(start + end.padStart(figuresEnd(columns) - start.length), look));
  }
  if (isStopped(blob, nowMs)) {
    const word = `Waiting${resumesAtMs === undefined ? '' : ` ${shortTime((resumesAtMs - nowMs) / 1000)}`}`;
    const text = columns < wideColumns ? word : `${word.padEnd(widths.state)} ${reason}`;
    return id + paint('yellow', clip(text, look, columns - widths.id));
  }
  const idleMs = nowMs - Math.max(blob.movedAtMs, resumesAtMs ?? 0);
  const isIdle = state !== 'verifying' && idleMs > idleAfterMs;
  const word = isIdle ? `Stalled ${shortTime(idleMs / 1000)}` : state === 'verifying' ? 'Verifying' : words.moving;
  const perSecond = isIdle || state === 'verifying' ? undefined : blob.rate.perSecond(nowMs);
  const start = { text: id, state: word, style: isIdle ? 'yellow' : undefined } as const;
  const left = isIdle || state === 'verifying' ? undefined : (secondsLeft ?? undefined);
  return row(start, { bytes, totalBytes: node.size, perSecond, secondsLeft: left }, look);
}

/** The line below the layers. */
export function totalLine(
  totals: ProgressTotals,
  images: Pick<ProgressTracker['images'], 'found' | 'finished'>,
  look: Look,
): string {
  const { layers, doneLayers, bytes, totalBytes, bytesPerSecond, secondsLeft } = totals;
  const left = secondsLeft === null || secondsLeft === 0 ? undefined : secondsLeft;
  const narrow = look.columns < wideColumns && left !== undefined ? ` ${formatSeconds(left)}` : '';
  const count = `${doneLayers}/${layers}`;
  const state = count.length + 7 <= widths.state ? `${count} layers` : count;
  const isNarrow = narrow !== '';
  const { found, finished } = images;
  const title = found > 1 ? `${finished}/${found}${isNarrow ? '' : ' images'}` : 'Total';
  const start = { text: `${title}${narrow}`, state, style: undefined };
  return row(start, { bytes, totalBytes, perSecond: bytesPerSecond || undefined, secondsLeft: left }, look);
}

interface Start {
  readonly text: string;
  readonly state: string;
  readonly style: 'yellow' | undefined;
}

interface Figures {
  readonly bytes: number;
  readonly totalBytes: number;
  readonly perSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

function row({ text, state, style }: Start, figures: Figures, look: Look): string {
  const { columns, paint } = look;
  const { bytes, totalBytes, perSecond, secondsLeft } = figures;
  const share = totalBytes > 0 ? Math.min(1, bytes / totalBytes) : 0;
  const amounts = `${steadyBytes(bytes)}/${steadyBytes(totalBytes)}`.padStart(widths.figures);
  const id = text.padEnd(widths.id);
  if (columns < widths.id + widths.state + widths.figures) {
    const short = columns < id.length + widths.figures ? ` ${Math.floor(share * 100)}%` : amounts;
    return clip(id.trimEnd() + short, look);
  }
  const word = state.padEnd(widths.state);
  const start = id + (style ? paint(style, word) : word);
  if (columns < wideColumns) return start + barBetween(columns - id.length - word.length, amounts, share, look);
  const rate = (perSecond === undefined ? '' : `${steadyBytes(perSecond)}/s`).padStart(widths.rate);
  const left = (secondsLeft === undefined ? '' : formatSeconds(secondsLeft)).padStart(widths.left);
  return start + barBetween(columns - id.length - word.length, amounts + rate + left, share, look);
}

function barBetween(columns: number, end: string, share: number, { unicode, paint }: Look): string {
  const barsize = columns - end.length - 1;
  if (barsize < leastBar) return end.padStart(columns);
  const [full, empty] = unicode ? ['━', '─'] : ['=', '-'];
  const glue = '\0';
  const bar = cliProgress.Format.BarFormat(share, {
    barsize,
    barCompleteString: full.repeat(barsize),
    barIncompleteString: empty.repeat(barsize),
    barGlue: glue,
  });
  const [done = '', open = ''] = bar.split(glue);
  return ` ${paint('cyan', done)}${paint('dim', open)}${end}`;
}

function figuresEnd(columns: number): number {
  return columns < wideColumns ? columns : columns - widths.rate - widths.left;
}

function shortTime(seconds: number): string {
  return formatSeconds(seconds).split(' ')[0] ?? '';
}

/** As much of a text as fits. */
export function clip(text: string, look: Look, columns = look.columns): string {
  const shown = visible(text);
  if (shown.length <= columns) return shown;
  const end = look.unicode ? '…' : '...';
  return shown.slice(0, Math.max(0, columns - end.length)) + end;
}
