/** The command line, except for the answers that main.ts gives by itself: signals, streams, one command and its report. */
import { type App, createApp } from '../app/app.ts';
import { createProgram } from '../commands/command-line/program.ts';
import { OciError } from '../model/errors.ts';
import { Output } from '../terminal/output.ts';
import type { InputStream } from '../terminal/prompt.ts';
import { report } from '../terminal/report.ts';
import { createTerminal, type Terminal } from '../terminal/terminal.ts';
import { version } from '../version.ts';

const sameSignalMs = 100;

/** The parts of its process that a run uses. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: () => InputStream;
  readonly stdout: Output;
  readonly stderr: Output;
}

function ownProcess(): Surroundings {
  return {
    env: process.env,
    stdin: () => process.stdin,
    stdout: new Output(() => process.stdout, 1),
    stderr: new Output(() => process.stderr, 2),
  };
}

/**
 * Runs the command line.
 *
 * @param words The words after `ocictl`.
 * @returns The exit status, as docs/exit-codes.md lists them.
 */
export async function run(words: readonly string[], surroundings: Surroundings = ownProcess()): Promise<number> {
  const terminal = await openTerminal(surroundings);
  const interrupt = new AbortController();
  let signalStatus = 130;
  let interruptedMs = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    // A second Ctrl-C ends the process at once. A signal at the same moment is the first again, passed on by timeout,
    // npm and others.
    if (interrupt.signal.aborted) {
      if (performance.now() - interruptedMs > sameSignalMs) process.exit(signalStatus);
      return;
    }
    interruptedMs = performance.now();
    signalStatus = name === 'SIGTERM' ? 143 : 130;
    interrupt.abort(new OciError('CANCELLED', 'interrupted'));
  };
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  for (const name of signals) process.on(name, onSignal);
  let app: App | undefined;
  let status = 0;
  let help = Promise.resolve();
  try {
    const program = await createProgram(words, {
      version,
      out: (text) => {
        help = terminal.out(text);
        help.catch(() => {});
      },
      onStatus: (given) => {
        status = given;
      },
      context: ({ config, verbosity }) => {
        app = createApp({
          terminal,
          stdin: surroundings.stdin,
          signal: interrupt.signal,
          env: surroundings.env,
          flags: { dockerConfigDir: config },
          verbosity,
        });
        return app;
      },
    });
    await program.parseAsync(words, { from: 'user' }).catch(unlessDone);
    await help;
    return status;
  } catch (error) {
    return report(error, { terminal, json: beforeDashes(words).includes('--json'), signalStatus });
  } finally {
    await app?.close();
    for (const name of signals) process.removeListener(name, onSignal);
  }
}

/** Options after `--` are for another program. */
function beforeDashes(words: readonly string[]): readonly string[] {
  const at = words.indexOf('--');
  return at < 0 ? words : words.slice(0, at);
}

async function openTerminal({ env, stdout, stderr }: Surroundings): Promise<Terminal> {
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const painter = !plain && stderr.isTTY ? (await import('../terminal/colour.ts')).createPainter() : undefined;
  return createTerminal({ stdout, stderr, painter, animation: env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '' });
}

// commander ends help and version by throwing; that is not a failure.
function unlessDone(error: unknown): void {
  if (!(error instanceof Error && 'exitCode' in error && error.exitCode === 0 && 'code' in error)) throw error;
}
