/** Words, sizes and times of progress. */
import type { ProgressTotals } from '../../model/events.ts';
import type { TrackedBlob } from '../../model/progress/tracker.ts';
import { formatBytes } from '../format.ts';
import type { ActionWords } from './progress.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/**
 * A size that changes while it is shown: three digits as in {@link formatBytes}, but with trailing zeros, so that its
 * width hardly changes: `5.50MB`, `31.0MB`.
 */
export function steadyBytes(bytes: number): string {
  let size = Math.round(bytes);
  if (size < 1000) return `${size}B`;
  let unit = 0;
  // A size that rounds to 1000 is 1.00 of the next unit.
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${size.toFixed(decimals)}${units[unit]}`;
}

/** `6s`, `1m 05s`, `2h 07m`, `3d 04h`; at least one second. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  const pair = (large: number, unit: string, small: number, smaller: string): string =>
    `${large}${unit} ${String(small).padStart(2, '0')}${smaller}`;
  if (whole < 3600) return pair(Math.floor(whole / 60), 'm', whole % 60, 's');
  if (whole < 86_400) return pair(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'm');
  return pair(Math.floor(whole / 86_400), 'd', Math.floor((whole % 86_400) / 3600), 'h');
}

/** A completed duration: below ten seconds with one decimal. */
function formatTaken(seconds: number): string {
  return seconds < 9.95 ? `${seconds.toFixed(1)}s` : formatSeconds(seconds);
}

/**
 * `Pulled 61.1MB in 6.2s (9.8MB/s) from registry.example.com; 2 of 5 layers (12MB) were there already`; shortened if
 * the line would be too long.
 *
 * @param route `from registry.example.com`
 */
export function summaryLine(
  totals: ProgressTotals,
  { did }: ActionWords,
  { route, columns = Number.POSITIVE_INFINITY }: { readonly route: string | undefined; readonly columns?: number },
): string {
  const { transferredBytes, elapsedSeconds, bytesPerSecond, existingBytes, existingLayers, layers } = totals;
  const rate = transferredBytes > 0 ? ` (${formatBytes(Math.round(bytesPerSecond))}/s)` : '';
  const moved = `${did} ${formatBytes(transferredBytes)} in ${formatTaken(elapsedSeconds)}`;
  const where = route === undefined ? '' : ` ${route}`;
  const size = formatBytes(existingBytes);
  const blobs = existingLayers === 0 ? size : `${existingLayers} of ${layers} layers (${size})`;
  const there = existingBytes === 0 ? '' : `; ${blobs} were there already`;
  const lines = [moved + rate + where + there, moved + rate + where, moved + rate, moved];
  return lines.find((line) => line.length <= columns) ?? moved;
}

/** The outcome of a layer. */
export function endWord({ state, mountedFrom }: TrackedBlob, words: ActionWords): string {
  if (state === 'mounted') return mountedFrom === undefined ? 'Mounted' : `Mounted from ${mountedFrom}`;
  if (state === 'foreign') return 'Skipped foreign layer';
  return state === 'exists' ? words.exists : words.transferred;
}
