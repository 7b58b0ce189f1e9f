/** The command line behind its quickest answers: signals, streams, one command, its report. */
import { type App, createApp } from './app.ts';
import { createProgram } from './commands/program.ts';
import { OciError } from './model/errors.ts';
import { report } from './terminal/report.ts';
import { createTerminal, type Terminal } from './terminal/terminal.ts';
import { version } from './version.ts';

/**
 * Runs the command line.
 *
 * @param words The words after `ocictl`.
 * @returns The exit status, as docs/exit-codes.md lists them.
 */
export async function run(words: readonly string[]): Promise<number> {
  const terminal = await openTerminal();
  const interrupt = new AbortController();
  let signalStatus = 130;
  const onSignal = (name: NodeJS.Signals): void => {
    // A second Ctrl-C means: now.
    if (interrupt.signal.aborted) process.exit(signalStatus);
    signalStatus = name === 'SIGTERM' ? 143 : 130;
    interrupt.abort(new OciError('CANCELLED', 'interrupted'));
  };
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  for (const name of signals) process.on(name, onSignal);
  let app: App | undefined;
  try {
    const program = await createProgram(words, {
      version,
      out: (text) => void terminal.out(text),
      context: ({ config, verbose }) => {
        app = createApp({
          terminal,
          stdin: () => process.stdin,
          signal: interrupt.signal,
          env: process.env,
          flags: { dockerConfigDir: config },
          verbose,
        });
        return app;
      },
    });
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, { terminal, json: words.includes('--json'), signalStatus });
  } finally {
    await app?.close();
    for (const name of signals) process.removeListener(name, onSignal);
  }
}

async function openTerminal(): Promise<Terminal> {
  const { env, stdout, stderr } = process;
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const painter = stderr.isTTY && !plain ? (await import('./terminal/colour.ts')).createPainter() : undefined;
  return createTerminal({ stdout, stderr, painter, animation: env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '' });
}
