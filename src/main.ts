/** Words in, exit status out: the only place that sees the process itself. */
import type { App } from './app.ts';
import { tuneEngine } from './engine.ts';
import type { Terminal } from './terminal/terminal.ts';
import { version } from './version.ts';

/**
 * Runs the command line.
 *
 * @param words The words after `ocictl`.
 * @returns The exit status, as docs/exit-codes.md lists them.
 */
export async function main(words: readonly string[]): Promise<number> {
  // What is asked most by scripts needs nothing loaded.
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  tuneEngine(process.env);
  const terminal = await openTerminal();
  const interrupt = new AbortController();
  let signalStatus = 130;
  const onSignal = async (name: NodeJS.Signals): Promise<void> => {
    // A second Ctrl-C means: now.
    if (interrupt.signal.aborted) process.exit(signalStatus);
    signalStatus = name === 'SIGTERM' ? 143 : 130;
    const { OciError } = await import('./model/errors.ts');
    interrupt.abort(new OciError('CANCELLED', 'interrupted', { hint: resumeHint }));
  };
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  for (const name of signals) process.on(name, onSignal);
  let app: App | undefined;
  try {
    const [{ createProgram }, { createApp }] = await Promise.all([import('./commands/program.ts'), import('./app.ts')]);
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
    const { report } = await import('./terminal/report.ts');
    return report(error, { terminal, json: words.includes('--json'), signalStatus });
  } finally {
    await app?.close();
    for (const name of signals) process.removeListener(name, onSignal);
  }
}

const resumeHint = 'what was downloaded is kept: the same command goes on from there';

async function openTerminal(): Promise<Terminal> {
  const { env, stdout, stderr } = process;
  const { createTerminal } = await import('./terminal/terminal.ts');
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const painter = stderr.isTTY && !plain ? (await import('./terminal/colour.ts')).createPainter() : undefined;
  return createTerminal({ stdout, stderr, painter, animation: env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '' });
}
