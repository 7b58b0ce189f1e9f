import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { atEnd, type Scope } from './sandbox.ts';

/** How long processes that a program left behind may go on writing. */
const orphanMs = 10_000;

export interface RunOptions {
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  readonly input?: string | Uint8Array | undefined;
  /** Leaves standard input open after `input`, for a test that types. */
  readonly typing?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** After this time the child is killed. Default two minutes. */
  readonly timeoutMs?: number | undefined;
}

export interface RunResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly result: Promise<RunResult>;
  /** What was written so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  /** Waits for a line on stdout or stderr. Rejects when the child ends first. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts a program and collects what it writes. It is killed when the test ends. */
export function start(t: Scope, program: string, words: readonly string[], options: RunOptions): Running {
  const { env, cwd, signal, input, typing = false, timeoutMs = 120_000 } = options;
  const child = spawn(program, words, { env, cwd, signal, stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs });
  const written = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
      for (const listener of listeners) listener();
    });
  }
  // A child that does not read its input closes the pipe; that is not an error.
  child.stdin.on('error', () => {});
  // A process that the child started and left behind would keep the pipes open, and the test waiting.
  child.once('exit', () => setTimeout(() => [child.stdout.destroy(), child.stderr.destroy()], orphanMs).unref());
  if (typing) child.stdin.write(input ?? '');
  else child.stdin.end(input ?? '');
  const result = new Promise<RunResult>((resolve, reject) => {
    child.once('error', (error) => (error.name === 'AbortError' ? undefined : reject(error)));
    child.once('close', (exitCode, endedBy) => resolve({ exitCode, signal: endedBy, ...written }));
  });
  result.catch(() => {});
  atEnd(t, async () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  const waitFor = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(written.stdout) ?? pattern.exec(written.stderr);
        if (!found) return;
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      look();
      result.then(
        ({ exitCode }) => {
          reject(new Error(`${program} ended (${exitCode}) before ${pattern}:\n${written.stdout}${written.stderr}`));
        },
        (error: unknown) => reject(error),
      );
    });
  return { child, result, output: () => ({ ...written }), waitFor };
}
