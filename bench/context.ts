import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { atEnd, type Scope } from '../test/support/sandbox.ts';
import { unlessStopped } from './measure.ts';
import type { Options } from './options.ts';

/** A Node to run ocictl with, and what its rows are called. */
export interface NodeProgram {
  readonly path: string;
  readonly name: string;
}

/** What every part of the bench is given. */
export interface Bench extends Omit<Options, 'nodes'> {
  /** On tmpfs; removed at the end, however that comes. */
  readonly work: string;
  readonly scope: Scope;
  /** A home of its own. */
  readonly env: Readonly<Record<string, string>>;
  readonly nodes: readonly NodeProgram[];
  /** ocictl, as built. */
  readonly bin: string;
  /** `Date.now()` after which nothing more is started. */
  readonly until: number;
}

/** Runs something with servers and directories of its own, which are gone afterwards. */
export async function scoped<T>(bench: Bench, use: (scope: Scope, directory: string) => Promise<T>): Promise<T> {
  await unlessStopped();
  const ends: (() => unknown)[] = [];
  const scope: Scope = { after: (end) => void ends.push(end as () => unknown) };
  const directory = await mkdtemp(join(bench.work, 'part-'));
  const leave = async (): Promise<void> => {
    for (const end of ends.splice(0)) await end();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  // Also where a signal ends the bench in the middle.
  atEnd(bench.scope, leave);
  try {
    return await use(scope, directory);
  } finally {
    await leave();
  }
}

/** A count or size at the bench's scale. */
export function scaled(bench: Pick<Bench, 'scale'>, value: number): number {
  return Math.max(1, Math.round(value * bench.scale));
}

/** What is measured says so where it is smaller than its name. */
export function titled({ scale }: Pick<Bench, 'scale'>, title: string): string {
  return scale === 1 ? title : `${title} (× ${scale})`;
}

/** What failed and why, for a table. */
export function failure({ work }: Pick<Bench, 'work'>, name: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${name}: ${message.replaceAll(work, '').replaceAll('\n', ' ')}`;
}

/** Progress, on stderr: stdout has the tables. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The most that lies on tmpfs at once: of an image both registries' copies, the store's, a layout's, and what docker unpacks. */
export function neededBytes(options: Options): number {
  const small = ['startup', 'growth', 'distance'];
  if (options.count) return 1e9;
  const images = options.only.some((part) => !small.includes(part)) ? 8e9 : 0;
  return Math.max(images, options.only.includes('growth') ? 2e9 : 0) * options.scale + 300e6;
}
