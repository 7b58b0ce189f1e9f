import { monotonicMs } from '../../model/clock.ts';
import type { Digest } from '../../model/digest.ts';
import { hasEnded, type ProgressTracker, type TrackedBlob } from '../../model/progress/tracker.ts';
import type { Terminal } from '../terminal.ts';
import { type Look, layerLine, totalLine } from './line.ts';
import type { ActionWords } from './progress.ts';

const mostLayers = 40;

interface Where {
  readonly terminal: Pick<Terminal, 'drawing' | 'paint'>;
  readonly words: ActionWords;
}

/** A line for each layer, and one for the total. If there is not enough room, layers that are moving come first. */
export function boardLines(
  layers: readonly TrackedBlob[],
  tracker: Pick<ProgressTracker, 'totals' | 'images'>,
  results: ReadonlyMap<Digest, string>,
  { terminal, words }: Where,
): readonly string[] {
  const { isPossible, columns, rows, unicode } = terminal.drawing;
  if (!isPossible) return [];
  // Leave the last column free: some terminals wrap when it is written.
  const look: Look = { columns: columns - 1, paint: terminal.paint, unicode, words, nowMs: monotonicMs() };
  // One row is for the total, one for the cursor, and one stays free: tmux puts what is erased from the first row on into
  // its history.
  const room = Math.min(rows - 3, mostLayers);
  const shown = layers.length <= room ? layers : chosen(layers, room - 1);
  const lines = shown.map((blob) => layerLine(blob, look, results.get(blob.node.digest)));
  if (shown.length < layers.length) lines.push(look.paint('dim', restLine(layers, shown)));
  return [...lines, totalLine(tracker.totals(), tracker.images, look)].map((line) => line.trimEnd());
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
