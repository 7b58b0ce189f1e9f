import { type Bench, failure, tell } from './context.ts';
import { type Command, measureAll, type Run } from './measure.ts';
import { compared, type Figures, type Row, type Section, summarize } from './results.ts';

/** Somebody in a race. */
export interface Runner {
  readonly name: string;
  readonly commands: readonly Command[];
  readonly env?: Readonly<Record<string, string>>;
  /** Puts things back as they were; not measured. */
  readonly before?: () => Promise<unknown>;
  /** Whose memory says nothing, because another process does the work. */
  readonly elsewhere?: boolean;
}

export interface Race {
  readonly part: string;
  readonly title: string;
  readonly runners: readonly Runner[];
  /** What the ratios compare with; the fastest of them. */
  readonly base: (name: string) => boolean;
  /** One of the base that takes so many times as long as the fastest in the first round runs no more: that is its figure. */
  readonly patience?: number;
}

/**
 * Runs all in turn, round for round, so that whatever disturbs the machine disturbs everybody. A first round that is not
 * counted warms caches; who fails is left out from then on, and why is told.
 */
export async function race(
  bench: Bench,
  { part, title, runners, base, patience = Number.POSITIVE_INFINITY }: Race,
): Promise<Section> {
  const runs = new Map<string, Run[]>(runners.map(({ name }) => [name, []]));
  const failures: string[] = [];
  const first = new Map<string, Run>();
  const tooSlow = (name: string): boolean =>
    base(name) && (first.get(name)?.wallMs ?? 0) > patience * Math.min(...[...first.values()].map((run) => run.wallMs));
  for (let round = 0; round <= bench.runs && (round < 2 || Date.now() < bench.until); round += 1) {
    tell(`${title}: ${round === 0 ? 'warming up' : `${round} of ${bench.runs}`}`);
    for (const { name, commands, env, before } of runners) {
      const list = runs.get(name);
      if (!list || tooSlow(name)) continue;
      try {
        await before?.();
        const run = await measureAll(commands, { env: { ...bench.env, ...env } });
        if (round > 0) list.push(run);
        else first.set(name, run);
      } catch (error) {
        runs.delete(name);
        failures.push(failure(bench, name, error));
      }
    }
  }
  for (const [name, run] of first) if (tooSlow(name)) runs.get(name)?.push(run);
  const elsewhere = new Set(runners.filter((runner) => runner.elsewhere).map(({ name }) => name));
  const rows = [...runs].map(([name, list]) => {
    const { peakBytes, ...figures } = summarizeRuns(list);
    return { name, ...figures, ...(!elsewhere.has(name) && { peakBytes }) };
  });
  const fastest = rows.filter(({ name }) => base(name)).sort((a, b) => a.median - b.median)[0] ?? rows[0];
  const result: Section = { part, title, unit: 'ms', rows: compared(rows, fastest?.name), failures };
  return fastest ? { ...result, base: fastest.name } : result;
}

function summarizeRuns(runs: readonly Run[]): Figures & Required<Pick<Row, 'peakBytes'>> {
  return {
    ...summarize(runs.map(({ wallMs }) => wallMs)),
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
  };
}
