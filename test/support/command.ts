import { join } from 'node:path';
import { mayRunInside, runInside } from './inside.ts';
import { type Running, type RunResult, start } from './process.ts';
import { projectRoot } from './project.ts';
import { type Scope, sandbox } from './sandbox.ts';

export interface CommandOptions {
  /** Added to the sandbox's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Leaves standard input open after `input`, for a test that types. */
  readonly typing?: boolean;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Runs it in a process of its own, for tests of what only a process shows. */
  readonly ownProcess?: boolean;
  /** Runs on a terminal of its own: stdout and stderr are that terminal, and come back as stdout. */
  readonly tty?: boolean;
  /** The width of that terminal. Default: it reports none. */
  readonly columns?: number;
}

/**
 * Runs the built `ocictl` to its end, in the sandbox of the test. Where the result is the same, it runs inside this
 * process, as starting a process is most of what a command costs. While one runs inside, others get their own process.
 */
export async function ocictl(t: Scope, words: readonly string[], options: CommandOptions = {}): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  if (!mayRunInside(words, options)) return (await spawnOcictl(t, words, options)).result;
  return runInside(words, { cwd: home, ...options, env: { ...env, ...options.env } });
}

/** Starts the built `ocictl`, for tests that kill it or wait for its output. */
export async function spawnOcictl(t: Scope, words: readonly string[], options: CommandOptions = {}): Promise<Running> {
  const { home, env } = await sandbox(t);
  const { tty, columns, ownProcess: _, ...rest } = options;
  const run = { cwd: home, ...rest, env: { ...env, ...options.env } };
  const program = [process.execPath, join(projectRoot, 'bin', 'ocictl.js'), ...words];
  if (!tty) return start(t, program[0] ?? '', program.slice(1), run);
  // util-linux's `script` opens a pseudo terminal; Node cannot open one by itself.
  const line = program.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const sized = columns === undefined ? line : `stty cols ${columns} rows 40; ${line}`;
  const terminal = { TERM: 'xterm-256color', COLUMNS: '120', LINES: '40' };
  return start(t, 'script', ['-qefc', sized, '/dev/null'], { ...run, env: { ...terminal, ...run.env } });
}

/** Starts `ocictl serve` on a free port. @returns Its address. */
export async function spawnServe(
  t: Scope,
  words: readonly string[],
  options: CommandOptions = {},
): Promise<Running & { readonly url: string; readonly host: string }> {
  const running = await spawnOcictl(t, ['serve', '--addr', '127.0.0.1:0', ...words], {
    timeoutMs: 900_000,
    ...options,
  });
  const [, url = ''] = await running.waitFor(/on (https?:\/\/\S+)/);
  return { ...running, url, host: new URL(url).host };
}
