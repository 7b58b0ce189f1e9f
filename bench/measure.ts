import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

/** One run of a program. */
export interface Run {
  readonly wallMs: number;
  /** The kernel's high-water mark of resident memory, read every 10 ms until the end; 0 where it was too short. */
  readonly peakBytes: number;
}

/** @throws Error with the program's stderr when it fails: a bench of failures measures nothing. */
export async function measure(
  command: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv | undefined; readonly memory?: boolean | undefined } = {},
): Promise<Run> {
  const [program = '', ...words] = command;
  const startedAt = process.hrtime.bigint();
  const child = spawn(program, words, { env: options.env ?? process.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  let peakBytes = 0;
  const poll = options.memory
    ? setInterval(async () => {
        peakBytes = Math.max(peakBytes, await highWater(child.pid));
      }, 10)
    : undefined;
  const [status] = (await once(child, 'exit')) as [number | null];
  const wallMs = Number(process.hrtime.bigint() - startedAt) / 1e6;
  clearInterval(poll);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`);
  return { wallMs, peakBytes };
}

async function highWater(pid: number | undefined): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // It has just ended.
    return 0;
  }
}

export interface Summary {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly peakBytes: number;
}

export function summarize(runs: readonly Run[]): Summary {
  const times = runs.map(({ wallMs }) => wallMs).sort((a, b) => a - b);
  return {
    medianMs: times[Math.floor(times.length / 2)] ?? Number.NaN,
    minMs: times[0] ?? Number.NaN,
    maxMs: times.at(-1) ?? Number.NaN,
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
  };
}
