/** Sizes, times and tables as Docker prints them. */
import { widthFor, wrapped } from './width.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal units, three significant digits: `5.59MB`. */
export function formatBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const text = unit === 0 ? String(size) : String(Number(size.toPrecision(3)));
  return `${text}${units[unit]}`;
}

/** `1 blob`, `2 blobs`. @param several The plural, if it is not the word with an s. */
export function counted(count: number, what: string, several = `${what}s`): string {
  return `${count} ${count === 1 ? what : several}`;
}

const steps: readonly (readonly [limitSeconds: number, unitSeconds: number, name: string])[] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [48 * 3600, 3600, 'hour'],
  [14 * 86_400, 86_400, 'day'],
  [60 * 86_400, 7 * 86_400, 'week'],
  [730 * 86_400, 30 * 86_400, 'month'],
  [Number.POSITIVE_INFINITY, 365 * 86_400, 'year'],
];

/** Whether a time says when something was made: Go writes the year 1 where nobody said it, and nothing here is older than 1970. */
export function isKnownTime(time: Date | undefined): time is Date {
  return time !== undefined && time.getTime() >= 0;
}

/** `3 weeks ago`. A time that lies ahead, by a wrong clock, is `just now`; one before 1970 is `N/A`. */
export function formatAge(from: Date, now: Date): string {
  if (!isKnownTime(from)) return 'N/A';
  const seconds = Math.floor((now.getTime() - from.getTime()) / 1000);
  if (seconds < 1) return 'just now';
  for (const [limit, unit, name] of steps) {
    if (seconds >= limit) continue;
    const count = Math.floor(seconds / unit);
    return `${count} ${name}${count === 1 ? '' : 's'} ago`;
  }
  return 'N/A';
}

/** Left-aligned columns, three spaces apart, no trailing space. */
export async function formatTable(rows: readonly (readonly string[])[]): Promise<string> {
  const width = await widthFor(rows.flat());
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, width(cell));
    });
  }
  const padded = (cell: string, i: number): string => cell + ' '.repeat((widths[i] ?? 0) + 3 - width(cell));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : padded(cell, i)))
      .join('')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}

/**
 * A table for a terminal: where it is wider than that, each row is a paragraph instead, with what is in its first column
 * above the rest.
 *
 * @param columns Infinity where there is no terminal.
 */
export async function formatFittingTable(rows: readonly (readonly string[])[], columns: number): Promise<string> {
  const table = await formatTable(rows);
  if (columns === Number.POSITIVE_INFINITY) return table;
  const width = await widthFor(rows.flat());
  if (table.split('\n').every((line) => width(line) <= columns)) return table;
  const [headings = [], ...entries] = rows;
  const paragraphs = entries.map(([first = '', ...others]) => {
    const said = others.map((text, at) => (at === 0 ? text : `${headings[at + 1]?.toLowerCase()} ${text}`));
    const lines = said.flatMap((text) => wrapped(text, columns - 2, width));
    return [first, ...lines.map((line) => `  ${line}`)].join('\n');
  });
  return `${paragraphs.join('\n')}\n`;
}
