/** Sizes, times and tables as Docker prints them. */

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

const steps: readonly (readonly [limitSeconds: number, unitSeconds: number, name: string])[] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [48 * 3600, 3600, 'hour'],
  [14 * 86_400, 86_400, 'day'],
  [60 * 86_400, 7 * 86_400, 'week'],
  [730 * 86_400, 30 * 86_400, 'month'],
  [Number.POSITIVE_INFINITY, 365 * 86_400, 'year'],
];

/** `3 weeks ago`. A time in the future, from a wrong clock, is `just now`. */
export function formatAge(from: Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - from.getTime()) / 1000);
  if (Number.isNaN(seconds)) return 'N/A';
  if (seconds < 1) return 'just now';
  for (const [limit, unit, name] of steps) {
    if (seconds >= limit) continue;
    const count = Math.floor(seconds / unit);
    return `${count} ${name}${count === 1 ? '' : 's'} ago`;
  }
  return 'N/A';
}

/** Left-aligned columns, three spaces apart, no trailing space. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd((widths[i] ?? 0) + 3)))
      .join('')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}
