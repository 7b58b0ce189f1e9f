import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { main } from '../../src/program/main.ts';
import { Output } from '../../src/terminal/output.ts';
import type { CommandOptions } from './command.ts';
import type { RunResult } from './process.ts';
import { projectRoot } from './project.ts';

/** Commands that run another program in their place, or run until they are interrupted. */
const ofProcesses = new Set(['serve', 'with-login']);
/** Variables that only take effect when a process starts with them. */
const ofStart = /^(?:NODE_|TZ$|LANG$|LC_)/;

let busy = false;

/**
 * Whether a command has the same result inside this process. `OCICTL_TEST_PROCESSES=1` runs each in a process of its own.
 */
export function mayRunInside(words: readonly string[], options: CommandOptions): boolean {
  const { tty, typing, signal, ownProcess, env = {} } = options;
  if (busy || tty || typing || signal || ownProcess || process.env['OCICTL_TEST_PROCESSES'] === '1') return false;
  return !words.some((word) => ofProcesses.has(word)) && !Object.keys(env).some((name) => ofStart.test(name));
}

/** Runs the built program in this process. It gets the given environment, directory and input, and no terminal. */
export async function runInside(
  words: readonly string[],
  {
    env,
    cwd,
    input,
    timeoutMs = 120_000,
  }: CommandOptions & { readonly env: Record<string, string>; readonly cwd: string },
): Promise<RunResult> {
  busy = true;
  const before = process.cwd();
  process.chdir(cwd);
  let timer: NodeJS.Timeout | undefined;
  try {
    const run = (await import(pathToFileURL(join(projectRoot, 'dist', 'installed.cjs')).href)) as {
      readonly main: typeof main;
    };
    const [stdout, stderr] = [new Collected(), new Collected()];
    const stdin = Readable.from(input === undefined || input.length === 0 ? [] : [Buffer.from(input)]);
    const exitCode = await Promise.race([
      run.main(words, {
        env,
        stdin: () => stdin,
        stdout: new Output(() => stdout),
        stderr: new Output(() => stderr),
      }),
      new Promise<never>((_, reject) => {
        const late = (): void =>
          reject(new Error(`ocictl ${words.join(' ')} did not end:\n${stdout.text}${stderr.text}`));
        timer = setTimeout(late, timeoutMs);
      }),
    ]);
    return { exitCode, signal: null, stdout: stdout.text, stderr: stderr.text };
  } finally {
    clearTimeout(timer);
    process.chdir(before);
    busy = false;
  }
}

class Collected extends Writable {
  readonly #chunks: Uint8Array[] = [];

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}
