import type { Writable } from 'node:stream';
import { OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
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
  /** Whether stdout's reader has gone: more output is pointless, and no error. */
  readonly outClosed: boolean;
  readonly out$: OutputFacts;
  readonly err$: OutputFacts;
  /** The stream that progress is drawn on. */
  readonly progressStream: Writable;
  /** Takes the lines of {@link note} while progress bars own the screen; undefined gives them back. */
  overlay(write: ((line: string) => void) | undefined): void;
  /** Text with an ANSI style when stderr shows colours. */
  paint(style: Style, text: string): string;
}

interface OutputFacts {
  readonly isTTY: boolean;
  readonly columns: number;
}

type Style = 'red' | 'yellow' | 'dim' | 'bold';
export type Painter = (style: Style, text: string) => string;

interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Colours stderr; absent where colours are not wanted. */
  readonly painter?: Painter | undefined;
  /** Whether moving progress is wanted, where stderr is a terminal. */
  readonly animation: boolean;
}

// Only the beginning of a line may be painted: what comes from outside follows, and cannot write to the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what paints.
const leadingPaint = /^\x1b\[\d{1,2}m[^\p{Cc}]*\x1b\[\d{1,2}m/u;

function shownLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

export function createTerminal({ stdout, stderr, painter, animation }: TerminalOptions): Terminal {
  let outClosed = false;
  let outFailure: OciError | undefined;
  let overlay: ((line: string) => void) | undefined;
  const warned = new Set<string>();
  const onError = (error: NodeJS.ErrnoException): void => {
    // `ocictl … | head -1` closes the pipe when it has seen enough.
    if (error.code === 'EPIPE') outClosed = true;
    else outFailure ??= outError(error);
  };
  stdout.onError(onError);
  stderr.onError(() => {});
  const terminal: Terminal = {
    out(text) {
      if (outFailure) return Promise.reject(outFailure);
      if (outClosed || text.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        stdout.write(text, (error) => {
          if (error) onError(error);
          if (outFailure) reject(outFailure);
          else resolve();
        });
      });
    },
    note(text) {
      const [painted = ''] = (painter && leadingPaint.exec(text)) ?? [];
      const line = painted + shownLines(text.slice(painted.length));
      if (overlay) overlay(line);
      else stderr.write(`${line}\n`);
    },
    warn(text) {
      if (warned.has(text)) return;
      warned.add(text);
      terminal.note(`${terminal.paint('yellow', 'warning:')} ${text}`);
    },
    get outClosed() {
      return outClosed;
    },
    get out$() {
      return { isTTY: stdout.isTTY, columns: stdout.columns ?? 80 };
    },
    get err$() {
      // A terminal without a width, as some CI systems give, makes what draws on it erase lines without end.
      return { isTTY: animation && (stderr.columns ?? 0) > 0, columns: stderr.columns ?? 80 };
    },
    get progressStream() {
      return stderr.stream;
    },
    overlay(write) {
      overlay = write;
    },
    paint: (style, text) => (painter ? painter(style, visible(text)) : text),
  };
  return terminal;
}

/** Stdout in a file on a full disk, or a device that takes nothing. */
function outError(cause: NodeJS.ErrnoException): OciError {
  const full = cause.code === 'ENOSPC' || cause.code === 'EDQUOT';
  const reason = full ? 'no space is left where it goes' : cause.message;
  return new OciError(full ? 'STORAGE_FULL' : 'STORAGE', `cannot write the result to stdout: ${reason}`, {
    cause,
    hint: full ? 'make room there, or send stdout elsewhere' : 'send stdout elsewhere',
  });
}
