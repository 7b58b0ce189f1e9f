/** What a bench finds out, as its JSON holds it. */

export interface Row {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** The median as a multiple of that of the section's base. */
  readonly ratio?: number;
  readonly peakBytes?: number;
  /** Of loads that move bytes. */
  readonly bytesPerSecond?: number;
  /** Of growth: how many there were; the time of each is the median divided by it. */
  readonly items?: number;
  /** Of one run over a network: see `distance/count.ts`. */
  readonly waits?: number;
  readonly connections?: number;
  readonly requests?: number;
  readonly wireBytes?: number;
}

export interface Section {
  readonly part: string;
  readonly title: string;
  readonly unit: 'ms' | 'requests/s';
  /** Name of the row that the ratios compare with. */
  readonly base?: string;
  readonly rows: readonly Row[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

export type Figures = Pick<Row, 'median' | 'min' | 'max' | 'runs'>;

/** @param values At least one. */
export function summarize(values: readonly number[]): Figures {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return { median: (low + high) / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0, runs: sorted.length };
}

/** Ratios to the row of that name. */
export function compared(rows: readonly Row[], base: string | undefined): Row[] {
  const median = rows.find(({ name }) => name === base)?.median;
  return rows.map((row) => (median ? { ...row, ratio: row.median / median } : row));
}
