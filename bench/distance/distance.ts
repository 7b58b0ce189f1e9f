import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scope } from '../../test/support/sandbox.ts';
import { type Bench, failure, scoped, tell, titled } from '../context.ts';
import { race } from '../race.ts';
import type { Section } from '../results.ts';
import { contenders } from '../transfers.ts';
import { type Cell, cells, type Setting } from './cells.ts';
import type { Count } from './count.ts';
import { asColumns, counts, isChosen } from './counting.ts';
import { Delay } from './delay.ts';
import { isOurs, openSetting, where } from './opened.ts';
import { canHaveOwnNetwork, inOwnNetwork } from './own-network.ts';

const mostMinutes = 20;
const mostRuns = 5;
/** A peer that takes so many times as long as the fastest shows that with one run. */
const patience = 2;
const part = 'distance';

/** Wall time of every cell, with what each program takes from the network. */
export async function* benchDistance(bench: Bench): AsyncGenerator<Section> {
  if (canHaveOwnNetwork()) return yield* again(bench);
  const until = Math.min(bench.until, Date.now() + mostMinutes * 60_000);
  const limited: Bench = { ...bench, until, runs: Math.min(bench.runs, mostRuns) };
  const chosen = cells.filter(({ name, setting }) => isChosen(bench, name, setting.name));
  if (chosen.length > 0) yield await startTimes(limited);
  for (const setting of new Set(chosen.map((cell) => cell.setting))) {
    const own = chosen.filter((cell) => cell.setting === setting);
    if (Date.now() < until) {
      yield* await scoped(limited, (scope) => timeSetting(limited, scope, setting, own)).catch((error: unknown) => [
        { part, title: setting.name, unit: 'ms' as const, rows: [], failures: [failure(bench, setting.name, error)] },
      ]);
    } else tell(`no time was left for ${own.map(({ name }) => name).join(', ')}`);
  }
}

/** In a network of its own; sections come as that run writes them. */
async function* again(bench: Bench): AsyncGenerator<Section> {
  const file = join(bench.work, 'distance.json');
  const minutes = Math.max(0.1, (bench.until - Date.now()) / 60_000);
  const words = [
    ...[
      '--only',
      part,
      '--json',
      file,
      '--runs',
      `${bench.runs}`,
      '--scale',
      `${bench.scale}`,
      '--minutes',
      `${minutes}`,
    ],
    ...bench.nodes.flatMap(({ path }) => ['--node', path]),
    ...bench.cells.flatMap((name) => ['--cell', name]),
  ];
  let [seen, isOver] = [0, false];
  // It ends with 1 where a section says that ocictl failed.
  const ended = inOwnNetwork(bench.scope, words, 'ignore').then(
    () => undefined,
    (error: unknown) => error,
  );
  ended.then(() => {
    isOver = true;
  });
  for (let isLast = false; !isLast; ) {
    await Promise.race([ended, sleep(1000)]);
    isLast = isOver;
    const sections = await sectionsOf(file);
    for (; seen < sections.length; seen += 1) yield sections[seen] as Section;
  }
  if (seen === 0) throw (await ended) ?? new Error('nothing was measured');
}

/** None where the file is not there yet, or is being written. */
async function sectionsOf(file: string): Promise<readonly Section[]> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as { readonly sections: readonly Section[] }).sections;
  } catch {
    return [];
  }
}

/** What every command costs before it does anything: Go's programs start in a fraction of Node's time. */
function startTimes(bench: Bench): Promise<Section> {
  const runners = contenders(bench, 'https').map(({ name, version }) => ({ name, commands: [version] }));
  return race(bench, { part, title: 'start: the version of each', runners, base: (name) => !isOurs(bench, name) });
}

async function timeSetting(bench: Bench, scope: Scope, setting: Setting, own: readonly Cell[]): Promise<Section[]> {
  const opened = await openSetting(bench, scope, setting);
  const { runners } = opened;
  const base = (name: string): boolean => !isOurs(bench, name);
  const sections: Section[] = [];
  for (const { name, title, delay, mostRuns = bench.runs } of own) {
    opened.use(new Delay(delay));
    const limited: Bench = { ...bench, runs: Math.min(bench.runs, mostRuns) };
    sections.push(
      await race(limited, { part, title: titled(bench, `${name}: ${title}${where()}`), runners, base, patience }),
    );
  }
  opened.use(opened.rounds);
  // Who was too slow to run again would be slow to count.
  const lasting = new Set(
    sections.flatMap(({ rows }) => rows.filter(({ runs }) => runs > 1 || bench.runs === 1)).map((row) => row.name),
  );
  const found = new Map<string, Count | undefined>();
  for await (const [name, counted] of counts(bench, opened, (each) => lasting.has(each))) found.set(name, counted);
  return sections.map((section) => ({
    ...section,
    rows: section.rows.map((row) => ({ ...row, ...asColumns(found.get(row.name)) })),
  }));
}
