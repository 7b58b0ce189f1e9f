import type { Writable } from 'node:stream';
import { OciError } from '../model/errors.ts';
import type { Waiting } from '../model/events.ts';
import { visible } from '../model/quote.ts';
import { formatJson } from './json.ts';
import type { Output } from './output.ts';
import { SpacedLines } from './spaced-lines.ts';

/** The output of a program, and what it can show. */
export interface Terminal {
  /**
   * Writes the result; nothing else is written to stdout. Resolves when the text was accepted, so a long list does not
   * pile up in memory. While a display occupies the screen that stdout is on too, the display makes room for the text.
   * What a pipe gets after a display was opened waits for {@link finish}: its reader may show it on this screen (`| tee`).
   *
   * @throws OciError STORAGE_FULL or STORAGE if stdout accepts no more, and from then on every time. A reader that has
   * closed the pipe is not an error.
   */
  out(text: string | Uint8Array): Promise<void>;
  /**
   * Gives stdout to the content of a file, which does not wait for {@link finish}: it need not be held in memory. Results
   * are lines on stderr from then on. A reader that has closed the pipe is not an error.
   *
   * @throws OciError USAGE if stdout is a terminal; from writing, as {@link out}.
   */
  takeOut(): { write(bytes: Uint8Array): Promise<void> };
  /** Writes results that wait. The last call of a run. @throws OciError as {@link out} */
  finish(): Promise<void>;
  /** Writes results that wait, as far as stdout takes them at once: for a process that ends now. */
  finishNow(): void;
  /**
   * Writes a line for people to stderr, above the progress bars if there are any. Control characters are escaped,
   * except line ends and a style from {@link paint}, which is only allowed at the beginning.
   */
  note(line: string): void;
  /** Tells why a request that no display follows does not get on: a display says so in its own way, otherwise as a note. */
  waiting(wait: Waiting): void;
  /** Receives waits while transfers are shown; undefined ends this. */
  onWaiting(listener: ((wait: Waiting) => void) | undefined): void;
  /** `warning: …`; each text only once per run. */
  warn(text: string): void;
  /** Writes a line of JSON to stderr, for programs. */
  data(record: object): void;
  /** Whether stderr is for programs: every line there is then JSON, also those of {@link note} and {@link warn}. */
  readonly json: boolean;
  /**
   * Resolves when stderr has accepted all data.
   *
   * @throws OciError STORAGE_FULL or STORAGE if it has not; a reader that has closed the pipe is not an error.
   */
  dataWritten(): Promise<void>;
  /** Whether stdout's reader has closed the pipe: more output is then pointless, but not an error. */
  readonly outClosed: boolean;
  readonly out$: { readonly isTTY: boolean; readonly columns: number };
  /**
   * Where results appear, as seen from stderr: on the same `screen`; in a `pipe` whose reader may show them there; or
   * `elsewhere`, such as in a file or on another terminal.
   */
  readonly resultsGo: 'screen' | 'pipe' | 'elsewhere';
  /** The columns that a result may take: those of the terminal on stdout; Infinity where it is none. */
  readonly outColumns: number;
  readonly err$: { readonly isTTY: boolean };
  /** What can be drawn on stderr. Read it when it is needed, as widths change. */
  readonly drawing: Drawing;
  /** The stream that progress is drawn on. */
  readonly progressStream: Writable;
  /** Receives the output while a display occupies the screen; undefined ends this. */
  overlay(overlay: Overlay | undefined): void;
  /** Adds an ANSI style to the text if stderr shows colours. */
  paint(style: Style, text: string): string;
  /** The same for a result, if stdout shows colours. Escapes nothing. */
  paintOut(style: Style, text: string): string;
}

interface Drawing {
  /** Whether stderr is a terminal that can move its cursor and is wide enough. */
  readonly isPossible: boolean;
  /** Whether drawing is possible and nothing speaks against it. */
  readonly isWanted: boolean;
  /** From 20 to 250, whatever the terminal reports. */
  readonly columns: number;
  /** From 5 to 100. */
  readonly rows: number;
  /** Whether it shows characters beyond ASCII. */
  readonly unicode: boolean;
}

/** A display that occupies the screen for some time. */
interface Overlay {
  /** A line of {@link Terminal.note}. */
  note(line: string): void;
  /** Results are written to the same screen: calls `write`, once, when there is room for them. */
  aside(write: () => void): void;
}

type Style = 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';
export type Painter = (style: Style, text: string) => string;

interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Colours stderr; absent if colours are not wanted. */
  readonly painter?: Painter | undefined;
  /** Colours stdout, likewise. */
  readonly outPainter?: Painter | undefined;
  /** What the environment says about drawing on stderr. */
  readonly screen: { readonly isDumb: boolean; readonly isCi: boolean; readonly unicode: boolean };
  /** Whether stderr is for programs. */
  readonly json?: boolean;
}

/** A narrower terminal is unreadable, and one that reports 0 does not know its size. */
const leastColumns = 20;
const mostColumns = 250;
const mostRows = 100;

// Only the beginning of a line may have a style: text from outside follows, and must not control the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins a style.
const leadingPaint = /^\x1b\[\d{1,2}m[^\p{Cc}]*\x1b\[\d{1,2}m/u;

/** Results are laid out for no fewer columns. */
const leastOutColumns = 40;

function shownLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

export function createTerminal(options: TerminalOptions): Terminal {
  const { stdout, stderr, painter, outPainter, screen, json = false } = options;
  let outClosed = false;
  let isTaken = false;
  let outFailure: OciError | undefined;
  let overlay: Overlay | undefined;
  let held: (string | Uint8Array)[] | undefined;
  let onWaiting: ((wait: Waiting) => void) | undefined;
  let dataFailure: OciError | undefined;
  let dataWritten = Promise.resolve();
  const warned = new Set<string>();
  const waits = new SpacedLines((line) => terminal.note(line));
  const onError = (error: NodeJS.ErrnoException): void => {
    // `ocictl … | head -1` closes the pipe when it has read enough.
    if (error.code === 'EPIPE') outClosed = true;
    else outFailure ??= writeError('the result to stdout', error);
  };
  stdout.onError(onError);
  stderr.onError(() => {});
  const write = (text: string | Uint8Array): Promise<void> => {
    if (outFailure) return Promise.reject(outFailure);
    if (outClosed || text.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const writeNow = (): void =>
        stdout.write(text, (error) => {
          if (error) onError(error);
          if (outFailure) reject(outFailure);
          else resolve();
        });
      if (overlay && terminal.resultsGo === 'screen') overlay.aside(writeNow);
      else writeNow();
    });
  };
  const takeHeld = (): Uint8Array => {
    const texts = (held ?? []).map((text) => Buffer.from(text));
    held = undefined;
    return Buffer.concat(texts);
  };
  const terminal: Terminal = {
    out(text) {
      if (isTaken) {
        for (const line of String(text).split('\n')) if (line !== '') terminal.note(line);
        return Promise.resolve();
      }
      if (!held || outFailure || outClosed) return write(text);
      held.push(text);
      return Promise.resolve();
    },
    takeOut() {
      if (stdout.isTTY) {
        throw new OciError('USAGE', 'cowardly refusing to write an archive to a terminal', {
          hint: 'name a file, or send it to another program',
        });
      }
      isTaken = true;
      return { write };
    },
    async finish() {
      await terminal.out(takeHeld());
    },
    finishNow() {
      stdout.writeNow(takeHeld());
    },
    note(text) {
      if (json) return terminal.data({ type: 'note', text });
      const [painted = ''] = (painter && leadingPaint.exec(text)) ?? [];
      const line = painted + shownLines(text.slice(painted.length));
      if (overlay) overlay.note(line);
      else stderr.write(`${line}\n`);
    },
    waiting(wait) {
      if (onWaiting) onWaiting(wait);
      else if (json) terminal.data({ type: 'waiting', ...wait });
      else waits.tell(wait.reason);
    },
    onWaiting(listener) {
      onWaiting = listener;
    },
    data(record) {
      dataWritten = new Promise((resolve) => {
        stderr.write(`${formatJson(record)}\n`, (error) => {
          // A reader that has gone, or a closed terminal, needs no more data.
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
      return { isTTY: stdout.isTTY, columns: stdout.columns ?? 80 };
    },
    get resultsGo() {
      if (!stderr.isTTY) return 'elsewhere';
      if (stdout.isTTY) return stdout.isSameTerminal(stderr) ? 'screen' : 'elsewhere';
      return stdout.isPipe ? 'pipe' : 'elsewhere';
    },
    get outColumns() {
      return stdout.isTTY ? Math.max(leastOutColumns, stdout.columns || 80) : Number.POSITIVE_INFINITY;
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
      if (given && terminal.resultsGo === 'pipe') held ??= [];
    },
    paint: (style, text) => (painter ? painter(style, visible(text)) : text),
    paintOut: (style, text) => (outPainter ? outPainter(style, text) : text),
  };
  return terminal;
}

/** The error of a full disk, or of a device that accepts nothing. @param what `the result to stdout` */
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
