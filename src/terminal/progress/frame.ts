import { monotonicMs } from '../../model/clock.ts';
import type { Terminal } from '../terminal.ts';

// The first mode makes a terminal take a frame as a whole, so that it does not flicker; other terminals ignore it. Without
// wrapping (the second), a terminal that is narrower than it reports only loses the ends of lines.
const [begin, end] = ['\x1b[?2026h', '\x1b[?2026l'];
const [unwrapped, wrapped] = ['\x1b[?7l', '\x1b[?7h'];

/** Long runs are redrawn less often, so that recordings of a session do not grow without limit. */
const intervals: readonly (readonly [untilMs: number, intervalMs: number])[] = [
  [60_000, 90],
  [600_000, 450],
  [Number.POSITIVE_INFINITY, 950],
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: styles have no width.
const style = /\x1b\[\d*m/g;

/** Clears lines from the cursor on, which stays: one by one, as tmux keeps for ever what is cleared to the end of the screen. */
function cleared(count: number): string {
  return count > 0 ? `${'\x1b[2K\r\n'.repeat(count)}\x1b[${count}A` : '';
}

/**
 * The terminal that cli-progress draws on. It keeps what is drawn, and writes a frame at once, with only the changed
 * lines. The cursor stays visible and rests below the frame, so that whatever ends or stops the process leaves the
 * terminal in order.
 */
export class Frame {
  readonly #stream: NodeJS.WriteStream;
  readonly #drawing: () => Terminal['drawing'];
  readonly #startedMs = monotonicMs();
  #rows: string[] = [];
  #row = 0;
  #above = '';
  #isHidden = false;
  #shown: readonly string[] = [];
  #paintedMs = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal) {
    this.#stream = terminal.progressStream as NodeJS.WriteStream;
    this.#drawing = () => terminal.drawing;
  }

  /** Writes the changes, unless it is too soon or the terminal is still busy. */
  flush(): void {
    if (this.#stream.writableNeedDrain) return;
    const nowMs = monotonicMs();
    const [, intervalMs = 0] = intervals.find(([untilMs]) => nowMs - this.#startedMs < untilMs) ?? [];
    const isUrgent = this.#above !== '' || this.#isHidden;
    if (!isUrgent && nowMs - this.#paintedMs < intervalMs) return;
    this.#paintedMs = nowMs;
    this.#isHidden = false;
    this.#paint();
  }

  /** Removes it from the screen. */
  erase(): void {
    this.#rows = [];
    this.#paint();
  }

  /** Removes it from the screen until the next frame, so that others can write there. */
  hide(): void {
    const rows = this.#rows;
    this.erase();
    this.#rows = rows;
    this.#isHidden = true;
  }

  /** Forgets its position, because others have written below it. */
  lose(): void {
    this.#shown = [];
    this.#paint();
  }

  /** Draws again after the width has changed. Most terminals have wrapped lines that became too long. */
  resize(): void {
    const { columns, rows } = this.#drawing();
    const height = this.#shown.reduce((sum, line) => {
      return sum + Math.max(1, Math.ceil(line.replace(style, '').length / Math.max(1, columns)));
    }, 0);
    const count = Math.min(height, rows - 1);
    if (count > 0) this.#stream.write(`\x1b[${count}A\r${cleared(count)}`);
    this.#shown = [];
  }

  #paint(): void {
    const count = this.#rows.findLastIndex((line) => line !== '') + 1;
    const rows = this.#rows.slice(0, count);
    const before = this.#shown;
    if (this.#above === '' && rows.length === before.length && rows.every((line, at) => line === before[at])) return;
    let text = before.length > 0 ? `\x1b[${before.length}A\r` : '\r';
    const kept = this.#above === '' ? before : [];
    if (this.#above !== '') text += cleared(before.length) + this.#above;
    text += unwrapped;
    rows.forEach((line, at) => {
      text += line === kept[at] ? '\r\n' : `${line}\x1b[K\r\n`;
    });
    text += cleared(kept.length - rows.length);
    this.#above = '';
    this.#shown = rows;
    this.#stream.write(begin + text + wrapped + end);
  }

  // The interface that cli-progress calls.

  isTTY(): boolean {
    return true;
  }

  getWidth(): number {
    return this.#drawing().columns;
  }

  write(text: string, isLog = false): void {
    if (isLog) this.#above += text.replaceAll('\n', '\r\n');
    else this.#rows[this.#row] = text;
  }

  newline(): void {
    this.#row += 1;
  }

  cursorRelativeReset(): void {
    this.#row = 0;
  }

  clearBottom(): void {
    this.#rows.length = this.#row;
  }

  cursor(): void {}
  cursorTo(): void {}
  lineWrapping(): void {}
  clearLine(): void {}
  clearRight(): void {}
}
