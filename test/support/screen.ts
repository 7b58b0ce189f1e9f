/** A real terminal, kept by tmux: what is on it can be looked at while a program writes there. */
import { execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram } from './programs.ts';
import { projectRoot } from './project.ts';
import { atEnd, type Scope, sandbox, temporaryDirectory } from './sandbox.ts';

const exec = promisify(execFile);

/** For a suite that looks at terminals: it mostly waits for them. */
export const onTerminals = { skip: findProgram('tmux') === undefined && 'needs tmux', concurrency: 4 };

interface ScreenOptions {
  readonly columns: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Screen {
  /** All lines, those that have left the screen at its top too; what was wrapped is one line. */
  text(): Promise<string>;
  /** The lines that are on the screen, with the escape sequences of their colours. */
  painted(): Promise<string>;
  /**
   * Waits until the text matches, a pattern or what a function says.
   *
   * @param opts.after Also after its own line has ended: something else writes there.
   * @returns The text.
   */
  waitFor(pattern: RegExp | ((text: string) => boolean), opts?: { readonly after?: boolean }): Promise<string>;
  resize(columns: number, rows?: number): Promise<void>;
  /** What tmux says of the terminal: `#{cursor_flag}`. */
  ask(format: string): Promise<string>;
  /** Ends the terminal under what runs there. */
  close(): Promise<void>;
}

/** Whether something is on so many lines; for {@link Screen.waitFor}. A pattern for that would take long on a screen without it. */
export function onLines(line: RegExp, count: number, rest?: RegExp): (text: string) => boolean {
  return (text) => text.split('\n').filter((each) => line.test(each)).length >= count && (rest?.test(text) ?? true);
}

/** Runs a line of a shell on a terminal; `$OCICTL` there is the built program. Below its output stands `exit STATUS`. */
export async function onScreen(
  t: Scope,
  line: string,
  { columns, rows = 24, env = {} }: ScreenOptions,
): Promise<Screen> {
  const { home, env: own } = await sandbox(t);
  const socket = join(await temporaryDirectory(t), 'tmux');
  const { NO_COLOR: _, ...colourful } = own;
  const words = { ...colourful, LANG: 'C.UTF-8', ...env };
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const all = ['-S', socket, '-f', '/dev/null', ...args];
    const { stdout } = await exec('tmux', all, { env: words, cwd: home, timeout: 20_000 });
    return stdout;
  };
  const program = `'${process.execPath}' '${join(projectRoot, 'bin', 'ocictl.js')}'`;
  const script = `export TERM="\${SCREEN_TERM:-xterm-256color}"; OCICTL="${program}"; run() { eval "$OCICTL \\"\\$@\\""; }; ${line}; echo "exit $?"; exec sleep 600`;
  await tmux(
    'new-session',
    '-d',
    '-x',
    `${columns}`,
    '-y',
    `${rows}`,
    script,
    ';',
    'set',
    '-g',
    'window-size',
    'manual',
  );
  atEnd(t, () => tmux('kill-server').catch(() => {}));
  const control = await attach(socket, words);
  const lines = (text: string): string =>
    text
      .split('\n')
      .map((each) => each.trimEnd())
      .join('\n')
      .trimEnd();
  const text = async (): Promise<string> => lines(await control.run('capture-pane -p -J -S -'));
  return {
    text,
    painted: async () => lines(await control.run('capture-pane -p -e')),
    async waitFor(pattern, { after = false } = {}) {
      for (;;) {
        const now = await text();
        if (typeof pattern === 'function' ? pattern(now) : pattern.test(now)) return now;
        // Nothing follows the end of the line; a line that hangs is a matter of the runner's time limit.
        if (!after && /^exit \d+$/m.test(now)) throw new Error(`the screen does not show ${pattern}:\n${now}`);
        await control.changed();
      }
    },
    async resize(width, height = rows) {
      await control.run(`resize-window -x ${width} -y ${height}`);
    },
    ask: async (format) => (await control.run(`display-message -p '${format}'`)).trim(),
    async close() {
      await tmux('kill-server');
    },
  };
}

interface Control {
  /** Has tmux run a command. @returns What it prints. */
  run(command: string): Promise<string>;
  /** Waits until something was written on the screen since the last command, for half a second at most. */
  changed(): Promise<void>;
}

/** A client of tmux that stays: to start one for each look costs more than what is looked at. */
async function attach(socket: string, env: Readonly<Record<string, string>>): Promise<Control> {
  const client = spawn('tmux', ['-S', socket, '-C', 'attach'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((result: string | Error) => void)[] = [];
  const news = new EventEmitter();
  let [ended, written] = [false, false];
  client.stdin.on('error', () => {});
  client.on('close', () => {
    ended = true;
    for (const answer of waiting.splice(0)) answer(new Error('the terminal has ended'));
    news.emit('news');
  });
  let block: string[] | undefined;
  createInterface({ input: client.stdout }).on('line', (line) => {
    if (block === undefined) {
      // Of others that have no 1 there nobody here waits for the answer: the one to `attach`.
      if (/^%begin \d+ \d+ 1$/.test(line)) block = [];
      else if (line.startsWith('%output')) {
        written = true;
        news.emit('news');
      }
    } else if (/^%(?:end|error) \d+ \d+ 1$/.test(line)) {
      const text = block.join('\n');
      waiting.shift()?.(line.startsWith('%end') ? text : new Error(text));
      block = undefined;
    } else block.push(line);
  });
  await once(client, 'spawn');
  return {
    async run(command) {
      if (ended) throw new Error('the terminal has ended');
      written = false;
      const result = await new Promise<string | Error>((resolve) => {
        waiting.push(resolve);
        client.stdin.write(`${command}\n`);
      });
      if (result instanceof Error) throw result;
      return result;
    },
    async changed() {
      // Much is often written at once.
      await sleep(20);
      if (!written) await Promise.race([once(news, 'news'), sleep(500)]);
    },
  };
}
