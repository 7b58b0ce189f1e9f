import type { Writable } from 'node:stream';
import { OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
import { formatJson } from './json.ts';
import type { Output } from './output.ts';

/** Where a program writes and what it may write there. */
export interface Terminal {
  /**
   * The result: nothing else goes here. Resolves when the text is taken, so a long list does not pile up in memory.
   *
   * @throws OciError STORAGE_FULL, STORAGE where stdout takes no more, from then on every time; a reader that has gone is
   *   no error.
   */
  out(text: string | Uint8Array): Promise<void>;
  /**
   * A line for people, on stderr; above the progress bars where there are any. Control characters are escaped, all but
   * line ends and the style of what {@link paint} gave, which may only stand at its beginning.
   */
  note(line: string): void;
  /** `warning: …`; the same text once in a run. */
  warn(text: string): void;
  /** A line of JSON on stderr, for programs. */
  data(record: object): void;
  /** Whether stderr is for programs: then every line there is JSON, those of {@link note} and {@link warn} too. */
  readonly json: boolean;
  /** Resolves when stderr has taken all data. @throws OciError STORAGE_FULL, STORAGE where it did not; a reader that has gone is no error. */
  dataWritten(): Promise<void>;
  /** Whether stdout's reader has gone: more output is pointless, and no error. */
  readonly outClosed: boolean;
  readonly out$: { readonly isTTY: boolean; readonly isPipe: boolean; readonly columns: number };
  readonly err$: { readonly isTTY: boolean };
  /** What can be drawn on stderr, which is asked for when it is needed: widths change. */
  readonly drawing: Drawing;
  /** The stream that progress is drawn on. */
  readonly progressStream: Writable;
  /** Takes what is written while something owns the screen; undefined gives it back. */
  overlay(overlay: Overlay | undefined): void;
  /** Text with an ANSI style when stderr shows colours. */
  paint(style: Style, text: string): string;
}

interface Drawing {
  /** Whether stderr is a terminal that can move its cursor, and wide enough to be read. */
  readonly isPossible: boolean;
  /** Whether nothing speaks against it either. */
  readonly isWanted: boolean;
  /** 20 to 250, whatever the terminal says. */
  readonly columns: number;
  /** 5 to 100. */
  readonly rows: number;
  /** Whether it shows characters beyond ASCII. */
  readonly unicode: boolean;
}

/** Owns the screen for a time. */
interface Overlay {
  /** A line of {@link Terminal.note}. */
  note(line: string): void;
  /** Text of {@link Terminal.out}. @returns Whether it sees to it; else it is written as ever. */
  takesOut(text: string | Uint8Array): boolean;
}

type Style = 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';
export type Painter = (style: Style, text: string) => string;

interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Colours stderr; absent where colours are not wanted. */
  readonly painter?: Painter | undefined;
  /** What the environment says of drawing on stderr. */
  readonly screen: { readonly isDumb: boolean; readonly isCi: boolean; readonly unicode: boolean };
  /** Whether stderr is for programs. */
  readonly json?: boolean;
}

/** A terminal that is narrower cannot be read, one that says 0 knows nothing of its size. */
const leastColumns = 20;
const mostColumns = 250;
const mostRows = 100;

// Only the beginning of a line may be painted: what comes from outside follows, and cannot write to the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what paints.
const leadingPaint = /^\x1b\[\d{1,2}m[^\p{Cc}]*\x1b\[\d{1,2}m/u;

function shownLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

export function createTerminal({ stdout, stderr, painter, screen, json = false }: TerminalOptions): Terminal {
  let outClosed = false;
  let outFailure: OciError | undefined;
  let overlay: Overlay | undefined;
  let dataFailure: OciError | undefined;
  let dataWritten = Promise.resolve();
  const warned = new Set<string>();
  const onError = (error: NodeJS.ErrnoException): void => {
    // `ocictl … | head -1` closes the pipe when it has seen enough.
    if (error.code === 'EPIPE') outClosed = true;
    else outFailure ??= writeError('the result to stdout', error);
  };
  stdout.onError(onError);
  stderr.onError(() => {});
  const terminal: Terminal = {
    out(text) {
      if (outFailure) return Promise.reject(outFailure);
      if (outClosed || text.length === 0 || overlay?.takesOut(text)) return Promise.resolve();
      return new Promise((resolve, reject) => {
        stdout.write(text, (error) => {
          if (error) onError(error);
          if (outFailure) reject(outFailure);
          else resolve();
        });
      });
    },
    note(text) {
      if (json) return terminal.data({ type: 'note', text });
      const [painted = ''] = (painter && leadingPaint.exec(text)) ?? [];
      const line = painted + shownLines(text.slice(painted.length));
      if (overlay) overlay.note(line);
      else stderr.write(`${line}\n`);
    },
    data(record) {
      if (dataFailure) return;
      dataWritten = new Promise((resolve) => {
        stderr.write(`${formatJson(record)}\n`, (error) => {
          // A reader that has gone, or a terminal, wants no more of it.
          const isGone = error && ['EPIPE', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '');
          if (error && !isGone) dataFailure ??= writeError('progress to stderr', error);
          resolve();
        });
      });
    },
    json,
    async dataWritten() {
      await dataWritten;
      if (dataFailure) throw dataFailure;
    },
    warn(text) {
      if (warned.has(text)) return;
      warned.add(text);
      if (json) return terminal.data({ type: 'warning', text });
      terminal.note(`${terminal.paint('yellow', 'warning:')} ${text}`);
    },
    get outClosed() {
      return outClosed;
    },
    get out$() {
      return { isTTY: stdout.isTTY, isPipe: stdout.isPipe, columns: stdout.columns ?? 80 };
    },
    get err$() {
      return { isTTY: stderr.isTTY };
    },
    get drawing() {
      const [columns, rows] = [stderr.columns ?? 0, stderr.rows ?? 0];
      const isPossible = !screen.isDumb && columns >= leastColumns;
      return {
        isPossible,
        isWanted: isPossible && !screen.isCi,
        columns: Math.min(columns, mostColumns),
        rows: Math.max(5, Math.min(rows > 0 ? rows : 24, mostRows)),
        unicode: screen.unicode,
      };
    },
    get progressStream() {
      return stderr.stream;
    },
    overlay(given) {
      overlay = given;
    },
    paint: (style, text) => (painter ? painter(style, visible(text)) : text),
  };
  return terminal;
}

/** A file on a full disk, or a device that takes nothing. @param what `the result to stdout` */
function writeError(what: string, cause: Error): OciError {
  const { code } = cause as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const reason = full ? 'no space is left where it goes' : cause.message;
  const stream = what.split(' ').at(-1);
  return new OciError(full ? 'STORAGE_FULL' : 'STORAGE', `cannot write ${what}: ${reason}`, {
    cause,
    hint: full ? `make room there, or send ${stream} elsewhere` : `send ${stream} elsewhere`,
  });
}
