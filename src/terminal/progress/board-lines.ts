import { monotonicMs } from '../../model/clock.ts';
import type { Digest } from '../../model/digest.ts';
import { hasEnded, type ProgressTracker, type TrackedBlob } from '../../model/progress/tracker.ts';
import { visible } from '../../model/quote.ts';
import type { Terminal } from '../terminal.ts';
import { wrapped } from '../width.ts';
import { clip, isStopped, type Look, layerLine, totalLine, wideColumns } from './line.ts';
import type { ActionWords } from './progress.ts';
import { type ShownWait, waitWord } from './shown-wait.ts';

const mostLayers = 40;

/** At most so many rows tell why something waits. */
const mostReasonRows = 2;

interface Where {
  readonly terminal: Pick<Terminal, 'drawing' | 'paint'>;
  readonly words: ActionWords;
  /** A request that is not a blob's, and waits. */
  readonly wait?: ShownWait | undefined;
}

/**
 * A line for each layer, and one for the total unless there is one layer only. If there is not enough room, layers that are
 * moving come first.
 */
export function boardLines(
  layers: readonly TrackedBlob[],
  tracker: Pick<ProgressTracker, 'totals' | 'images'>,
  results: ReadonlyMap<Digest, string>,
  { terminal, words, wait }: Where,
): readonly string[] {
  const { isPossible, columns, rows, unicode } = terminal.drawing;
  if (!isPossible) return [];
  // Leave the last column free: some terminals wrap when it is written.
  const look: Look = { columns: columns - 1, paint: terminal.paint, unicode, words, nowMs: monotonicMs() };
  const totals = tracker.totals();
  const { images } = tracker;
  const isOnly = totals.layers === 1 && images.found <= 1 && images.complete;
  const reasons = reasonLines(layers, wait, look);
  // One row is for the total, one for the cursor, and one stays free: tmux puts what is erased from the first row on into
  // its history.
  const room = Math.min(rows - 3 - reasons.length, mostLayers);
  const shown = layers.length <= room ? layers : chosen(layers, room - 1);
  const secondsLeft = isOnly ? totals.secondsLeft : null;
  const lines = shown.map((blob) => layerLine(blob, look, { result: results.get(blob.node.digest), secondsLeft }));
  if (shown.length < layers.length) lines.push(look.paint('dim', restLine(layers, shown)));
  lines.push(...reasons);
  if (!isOnly) lines.push(totalLine(totals, images, look));
  return lines.map((line) => line.trimEnd());
}

// Where a layer's line has no room for its reason, one below the layers tells it.
function reasonLines(layers: readonly TrackedBlob[], wait: ShownWait | undefined, look: Look): readonly string[] {
  const word = wait && waitWord(wait, look.nowMs);
  const stopped = look.columns < wideColumns ? layers.find((blob) => isStopped(blob, look.nowMs)) : undefined;
  const text = word === undefined ? stopped?.reason : `${word}: ${wait?.reason}`;
  if (text === undefined) return [];
  const lines = wrapped(visible(text), look.columns, (part) => part.length).slice(0, mostReasonRows);
  return lines.map((line) => look.paint('yellow', clip(line, look)));
}

const ranks = ['moving', 'waiting', 'done'] as const;

function rankOf(blob: TrackedBlob): (typeof ranks)[number] {
  return hasEnded(blob) ? 'done' : blob.state === 'waiting' ? 'waiting' : 'moving';
}

function chosen(layers: readonly TrackedBlob[], room: number): readonly TrackedBlob[] {
  const first = new Set(ranks.flatMap((rank) => layers.filter((blob) => rankOf(blob) === rank)).slice(0, room));
  return layers.filter((blob) => first.has(blob));
}

function restLine(layers: readonly TrackedBlob[], shown: readonly TrackedBlob[]): string {
  const rest = layers.filter((blob) => !shown.includes(blob)).map(rankOf);
  const counts = ranks.map((rank) => ({ rank, count: rest.filter((each) => each === rank).length }));
  const parts = counts.flatMap(({ rank, count }) => (count > 0 ? [`${count} ${rank}`] : []));
  return `and ${rest.length} more: ${parts.join(', ')}`;
}
