/** Runs another program in place of this one. Part of the composition root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { quote } from '../model/quote.ts';
import type { TemporaryConfig } from '../service/logins/logins.ts';

interface RunProgramOptions {
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether this process has a terminal, whose Ctrl-C reaches the program by itself. */
  readonly interactive: boolean;
}

/**
 * Runs a program with a temporary configuration, which is erased when it ends.
 *
 * @param tell Told why the program cannot be run.
 * @returns As {@link runProgram}; 127 where there is no such program and 126 where it cannot be run, as shells have it.
 */
export async function runWithConfig(
  words: readonly string[],
  config: TemporaryConfig,
  { env, tell }: { readonly env: NodeJS.ProcessEnv; readonly tell: (text: string) => void },
): Promise<number> {
  // For an exit that waits for nothing.
  process.on('exit', config.endNow);
  try {
    return await runProgram(words, { env: { ...env, ...config.env }, interactive: isatty(0) });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (!syscall?.startsWith('spawn')) throw error;
    const isMissing = code === 'ENOENT';
    tell(`error: ${quote(words[0] ?? '')}: ${isMissing ? 'there is no such program' : `it cannot be run (${code})`}`);
    return isMissing ? 127 : 126;
  } finally {
    await config.end();
    process.removeListener('exit', config.endNow);
  }
}

/**
 * Waits for a program to end. Signals to this process meanwhile are the program's to answer.
 *
 * @returns Its exit status, or 128 and the number of the signal that ended it, as shells have it.
 * @throws what Node says where it cannot be run.
 */
async function runProgram(
  [program = '', ...words]: readonly string[],
  { env, interactive }: RunProgramOptions,
): Promise<number> {
  let child: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals): void => {
    if (!(interactive && signal === 'SIGINT')) child?.kill(signal);
  };
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
  // Ctrl-C is the program's, how often it is pressed; nobody else here may act on it meanwhile.
  const others = signals.map((signal) => ({ signal, listeners: process.rawListeners(signal) }));
  // Before there is a program: what it says first may be somebody's cue to send one.
  for (const { signal } of others) process.removeAllListeners(signal).on(signal, forward);
  try {
    const running = spawn(program, words, { env, stdio: 'inherit' });
    child = running;
    return await new Promise<number>((resolve, reject) => {
      running.once('error', reject);
      running.once('exit', (status, signal) =>
        resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
  } finally {
    for (const { signal, listeners } of others) {
      process.removeListener(signal, forward);
      for (const listener of listeners) process.on(signal, listener as NodeJS.SignalsListener);
    }
  }
}
