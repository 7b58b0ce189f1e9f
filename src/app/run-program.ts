/** Runs another program in place of this one. Part of the composition root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { quote } from '../model/quote.ts';
import type { TemporaryConfig } from '../service/logins/logins.ts';

interface RunProgramOptions {
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether this process has a terminal; its Ctrl-C then reaches the program directly. */
  readonly interactive: boolean;
}

/**
 * Runs a program with a temporary configuration, which is erased when it ends.
 *
 * @param tell Called with the reason if the program cannot be run.
 * @returns As {@link runProgram}; as in shells, 127 if there is no such program and 126 if it cannot be run.
 */
export async function runWithConfig(
  words: readonly string[],
  config: TemporaryConfig,
  { env, tell }: { readonly env: NodeJS.ProcessEnv; readonly tell: (text: string) => void },
): Promise<number> {
  // Erases it even if this process exits without waiting.
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
 * Waits for a program to end. Signals to this process are meanwhile passed on to the program.
 *
 * @returns Its exit status, or, as in shells, 128 plus the number of the signal that ended it.
 * @throws Node's error if it cannot be run.
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
  // Only the program answers Ctrl-C, even repeated: remove the listeners of this process meanwhile.
  const others = signals.map((signal) => ({ signal, listeners: process.rawListeners(signal) }));
  // Listen before the program starts: its first output may make someone send a signal.
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
