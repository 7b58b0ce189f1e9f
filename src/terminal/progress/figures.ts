/** Words, sizes and times of progress. */
import type { ProgressTotals } from '../../model/events.ts';
import type { TrackedBlob } from '../../model/progress/tracker.ts';
import { visible } from '../../model/quote.ts';
import { formatBytes } from '../format.ts';
import { wrapped } from '../width.ts';
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

/** A completed duration: below ten seconds with one decimal, and never 0. */
function formatTaken(seconds: number): string {
  return seconds < 9.95 ? `${Math.max(0.1, seconds).toFixed(1)}s` : formatSeconds(seconds);
}

/**
 * `Pulled 61.1MB in 6.2s (9.8MB/s) from registry.example.com; 2 of 5 layers (12MB) were there already`, in as many lines as
 * the columns require.
 *
 * @param route `from registry.example.com`
 */
export function summaryLines(
  totals: ProgressTotals,
  { did, idle = 'everything was there already' }: ActionWords,
  { route, columns = Number.POSITIVE_INFINITY }: { readonly route: string | undefined; readonly columns?: number },
): readonly string[] {
  const { transferredBytes, elapsedSeconds, bytesPerSecond } = totals;
  const rate = transferredBytes > 0 ? ` (${formatBytes(Math.round(bytesPerSecond))}/s)` : '';
  const amount = transferredBytes > 0 ? formatBytes(transferredBytes) : 'nothing';
  const where = route === undefined ? '' : ` ${visible(route)}`;
  const text = `${did} ${amount} in ${formatTaken(elapsedSeconds)}${rate}${where}${thereAlready(totals, idle)}`;
  const indent = '  ';
  const [first = '', ...rest] = wrapped(text, columns - indent.length, (part) => part.length);
  return [first, ...rest.map((line) => indent + line)];
}

function thereAlready(
  { existingBytes, existingLayers, layers, transferredBytes }: ProgressTotals,
  idle: string,
): string {
  if (existingBytes === 0) return transferredBytes > 0 ? '' : `; ${idle}`;
  const size = formatBytes(existingBytes);
  if (existingLayers === 0) return `; ${size} were there already`;
  const which = existingLayers < layers ? `${existingLayers} of ${layers}` : layers === 1 ? 'the' : `all ${layers}`;
  return `; ${which} layer${layers === 1 ? '' : 's'} (${size}) ${layers === 1 ? 'was' : 'were'} there already`;
}

/** The outcome of a layer. */
export function endWord({ state, mountedFrom }: TrackedBlob, words: ActionWords): string {
  if (state === 'mounted') return mountedFrom === undefined ? 'Mounted' : `Mounted from ${mountedFrom}`;
  if (state === 'foreign') return 'Skipped foreign layer';
  return state === 'exists' ? words.exists : words.transferred;
}
