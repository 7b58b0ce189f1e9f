/** The command line, except for the answers that main.ts gives by itself: signals, streams, one command and its report. */
import { type App, createApp } from '../app/app.ts';
import { createProgram, parseWords } from '../commands/command-line/program.ts';
import { OciError } from '../model/errors.ts';
import { directReads } from '../packaging/direct-reads.ts';
import { letGoOfTerminals, Output } from '../terminal/output.ts';
import type { InputStream } from '../terminal/prompt.ts';
import { report } from '../terminal/report.ts';
import { createTerminal, type Terminal } from '../terminal/terminal.ts';
import { version } from '../version.ts';

// installed.ts loads scripts beside this one, and has no engine.ts of its own.
export { undiciPreparation, useUsualFlags } from '../app/engine.ts';

const sameSignalMs = 100;

/** Signals that end a command in order, and their exit statuses. A terminal that is closed sends SIGHUP. */
const signalStatuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type EndingSignal = keyof typeof signalStatuses;
const signals = Object.keys(signalStatuses) as readonly EndingSignal[];

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
  directReads.areOn = true;
  const own = beforeDashes(words);
  const progress = progressMode(own);
  const terminal = await openTerminal(surroundings, wantsJson(own, progress));
  const interrupt = new AbortController();
  let signalStatus: number = signalStatuses.SIGINT;
  let interruptedMs = 0;
  const onSignal = (name: EndingSignal): void => {
    // A second Ctrl-C ends the process at once. A signal at the same moment is the first again, passed on by timeout,
    // npm and others.
    if (interrupt.signal.aborted) {
      if (performance.now() - interruptedMs > sameSignalMs) {
        terminal.finishNow();
        process.exit(signalStatus);
      }
      return;
    }
    interruptedMs = performance.now();
    signalStatus = signalStatuses[name];
    interrupt.abort(new OciError('CANCELLED', 'interrupted'));
  };
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
    await parseWords(program, words).catch(unlessDone);
    await help;
    await terminal.finish();
    // A program that lacks some of the data it requested learns of it by the exit status: stderr cannot take a message.
    if (progress === 'json') await terminal.dataWritten();
    return status;
  } catch (error) {
    const reported = report(error, { terminal, json: own.includes('--json'), signalStatus });
    await terminal.finish().catch(() => {}); // the first failure decides
    return reported;
  } finally {
    await app?.close();
    for (const name of signals) process.removeListener(name, onSignal);
    letGoOfTerminals();
  }
}

/** Options after `--` are for another program. */
function beforeDashes(words: readonly string[]): readonly string[] {
  const at = words.indexOf('--');
  return at < 0 ? words : words.slice(0, at);
}

function progressMode(words: readonly string[]): string | undefined {
  const given = words.filter((word, at) => word.startsWith('--progress=') || words[at - 1] === '--progress').at(-1);
  return given?.replace(/^--progress=/, '');
}

/** Whether stderr is for programs, beginning with the first line. Bars and lines that were asked for are for people. */
function wantsJson(words: readonly string[], progress: string | undefined): boolean {
  if (progress === 'bars' || progress === 'plain') return false;
  return progress === 'json' || words.includes('--json');
}

async function openTerminal({ env, stdout, stderr }: Surroundings, json: boolean): Promise<Terminal> {
  const isDumb = env['TERM'] === 'dumb';
  const plain = json || (env['NO_COLOR'] ?? '') !== '' || isDumb;
  const [painter, outPainter] = await Promise.all(
    [stderr, stdout].map(async ({ isTTY }) =>
      !plain && isTTY ? (await import('../terminal/colour.ts')).createPainter() : undefined,
    ),
  );
  const isCi = !['', '0', 'false'].includes(env['CI'] ?? '');
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  const unicode = env['TERM'] !== 'linux' && (process.platform === 'win32' || /utf-?8/i.test(locale));
  return createTerminal({ stdout, stderr, painter, outPainter, screen: { isDumb, isCi, unicode }, json });
}

// commander ends help and version by throwing; that is not a failure.
function unlessDone(error: unknown): void {
  if (!(error instanceof Error && 'exitCode' in error && error.exitCode === 0 && 'code' in error)) throw error;
}
