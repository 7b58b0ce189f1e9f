import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** A program and its arguments. */
export type Command = readonly string[];

/** One run of something: its time, and the most memory that it held. */
export interface Run {
  readonly wallMs: number;
  /** 0 where it was over before anybody looked. */
  readonly peakBytes: number;
}

export interface MeasureOptions {
  readonly env: NodeJS.ProcessEnv;
  /** What runs longer is killed and counts as failed. */
  readonly timeoutMs?: number;
  /** Called with the process that has just been started. */
  readonly started?: (pid: number | undefined) => void;
}

/** Runs commands one after the other: the time of all, the memory of the largest. @throws Error where one fails. */
export async function measureAll(commands: readonly Command[], options: MeasureOptions): Promise<Run> {
  let [wallMs, peakBytes] = [0, 0];
  for (const command of commands) {
    const run = await measure(command, options);
    wallMs += run.wallMs;
    peakBytes = Math.max(peakBytes, run.peakBytes);
  }
  return { wallMs, peakBytes };
}

const running = new Set<ChildProcess>();
let stopped = false;

/** Kills what runs; from then on nothing starts. */
export function stopAll(): void {
  stopped = true;
  for (const child of running) child.kill('SIGKILL');
}

/** Whoever starts something waits for this first: for ever, when the bench is being left and its servers are ending. */
export async function unlessStopped(): Promise<void> {
  if (stopped) await new Promise(() => {});
}

/** @throws Error with the end of the program's stderr when it fails: a bench of failures measures nothing. */
export async function measure(command: Command, { env, timeoutMs = 300_000, started }: MeasureOptions): Promise<Run> {
  const [program = '', ...words] = command;
  await unlessStopped();
  const startedAt = performance.now();
  const child = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  // Node's own time limit goes on ticking where there was no such program.
  const limit = setTimeout(() => child.kill(), timeoutMs);
  running.add(child);
  started?.(child.pid);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  let peakBytes = 0;
  const poll = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
  }, 5);
  try {
    const ended = await new Promise<{ status: number | NodeJS.Signals | null; wallMs: number }>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ status: code ?? signal, wallMs: performance.now() - startedAt }));
    });
    if (ended.status === 0) return { wallMs: ended.wallMs, peakBytes };
    throw new Error(`${command.join(' ').slice(0, 300)} ended with ${ended.status}: ${stderr.trim()}`);
  } finally {
    clearInterval(poll);
    clearTimeout(limit);
    running.delete(child);
  }
}

/** The kernel's high-water mark of resident memory; 0 when the process has just ended. */
export function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Begins the high-water mark of a server anew, so that each load has its own (proc(5), clear_refs). */
export function resetPeak(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // A kernel that cannot: the mark is then the highest since the start.
  }
}
