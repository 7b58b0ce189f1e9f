import { readFile, writeFile } from 'node:fs/promises';
import { formatBytes, formatTable } from '../src/terminal/format.ts';
import type { Machine } from './machine.ts';
import type { Row, Section } from './results.ts';

/** One section as aligned text. */
export async function asText({ title, failures, ...section }: Section): Promise<string> {
  const lines = failures.map((failure) => `  not measured: ${failure}\n`).join('');
  return `\n${title}\n${await formatTable(cells(section))}${lines}`;
}

/** All sections as Markdown, with the command and the machine that made them. */
export function asMarkdown(machine: Machine, sections: readonly Section[]): string {
  const programs = Object.entries(machine.programs).map(([name, version]) => `${name} ${version}`);
  const head = [
    `\`${machine.command}\`, ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${formatBytes(machine.memoryBytes)}`,
    `of memory, Linux ${machine.kernel}, load ${machine.loadBefore.toFixed(1)} before it began. ${programs.join(', ')}.`,
  ];
  const tables = sections.map(({ title, failures, ...section }) => {
    const [columns = [], ...rows] = cells(section);
    const rule = columns.map((_, i) => (i === 0 ? '---' : '--:'));
    const table = [columns, rule, ...rows].map((row) => `| ${row.join(' | ')} |`);
    return [`### ${title}`, '', ...table, ...failures.flatMap((failure) => ['', `Not measured: ${failure}`])].join(
      '\n',
    );
  });
  return `${[head.join('\n'), ...tables].join('\n\n')}\n`;
}

/** Replaces what is between the marks of a document that has them, else all of the file. */
export async function writeTables(file: string, tables: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '');
  const [begin, end] = ['<!-- figures -->', '<!-- /figures -->'];
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  const marked = from !== -1 && to > from;
  const whole = `${before.slice(0, from + begin.length)}\n\n${tables}\n${before.slice(to)}`;
  await writeFile(file, marked ? whole : tables);
}

/** Head and rows; a column is there where some row has something for it. */
function cells({ unit, base, rows }: Pick<Section, 'unit' | 'base' | 'rows'>): string[][] {
  const columns: readonly (readonly [head: string, cell: (row: Row) => string | undefined])[] = [
    ['', ({ name }) => name],
    ['count', ({ items }) => items?.toString()],
    [unit === 'ms' ? 'median ms' : unit, ({ median }) => figure(median)],
    ['spread', ({ min, max, runs }) => (runs > 1 ? `${figure(min)}–${figure(max)}` : undefined)],
    [`× ${base}`, ({ ratio }) => ratio?.toFixed(2)],
    ['µs each', ({ items, median }) => (items === undefined ? undefined : figure((median / items) * 1000))],
    ['MB/s', ({ bytesPerSecond }) => (bytesPerSecond === undefined ? undefined : figure(bytesPerSecond / 1e6))],
    ['waits', ({ waits }) => waits?.toString()],
    ['connections', ({ connections }) => connections?.toString()],
    ['requests', ({ requests }) => requests?.toString()],
    ['on the wire', ({ wireBytes }) => (wireBytes === undefined ? undefined : formatBytes(wireBytes))],
    ['peak', ({ peakBytes }) => (peakBytes ? formatBytes(peakBytes) : undefined)],
  ];
  const used = columns.filter(([, cell]) => rows.some((row) => cell(row) !== undefined));
  return [used.map(([head]) => head), ...rows.map((row) => used.map(([, cell]) => cell(row) ?? ''))];
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
