import { type Digest, shortDigest } from '../../model/digest.ts';
import type { TransferEvent } from '../../model/events.ts';
import { hasEnded, ProgressTracker, type TrackedBlob } from '../../model/progress/tracker.ts';
import { visible } from '../../model/quote.ts';
import type { Terminal } from '../terminal.ts';
import { endWord, summaryLine } from './figures.ts';
import { actions, type Progress, type ProgressOptions } from './progress.ts';
import type { Screen } from './screen.ts';

/** Shorter runs draw nothing, and do not load the code that draws. */
const quietMs = 150;

/** On a terminal: a line for each layer, and one for the total. */
export function createBars(terminal: Terminal, options: ProgressOptions): Progress {
  return new Bars(terminal, options);
}

class Bars implements Progress {
  readonly #terminal: Terminal;
  readonly #options: ProgressOptions;
  readonly #tracker = new ProgressTracker();
  /** Layers without a permanent line, in the order in which they were found. */
  readonly #open = new Set<TrackedBlob>();
  /** Lines of stdout, by the layer that each is about. */
  readonly #results = new Map<Digest, string>();
  /** Lines of stdout held back for a pipe, whose reader may show them on this screen. */
  readonly #held: string[] = [];
  readonly #heldAbout = new Set<Digest>();
  readonly #writes: Promise<void>[] = [];
  readonly #timer: NodeJS.Timeout;
  #screen: Screen | undefined;
  #isBoard = false;
  #writesItself = false;
  #ended = false;

  constructor(terminal: Terminal, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#timer = setTimeout(() => void this.#show(), quietMs);
    terminal.overlay({ note: (line) => this.#note(line), takesOut: (text) => this.#takesOut(text) });
  }

  event(event: TransferEvent): void {
    if (this.#ended) return;
    const blob = this.#tracker.event(event);
    if (event.type !== 'discovered' || blob?.kind !== 'layer') return;
    this.#open.add(blob);
    if (this.#screen && !this.#isBoard) void this.#show();
  }

  async say(line: string, about?: Digest): Promise<void> {
    const { isTTY, isPipe } = this.#terminal.out$;
    if (about !== undefined && isTTY) {
      this.#results.set(about, line);
      return;
    }
    if (about !== undefined && isPipe) this.#heldAbout.add(about);
    await this.#terminal.out(`${line}\n`);
  }

  async end(completed: boolean): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const rest = [...this.#open].filter(hasEnded);
    this.#open.clear();
    this.#leave(rest, true);
    const isDrawn = this.#screen !== undefined;
    this.#screen?.close();
    this.#terminal.overlay(undefined);
    await Promise.all(this.#writes);
    if (this.#held.length > 0) await this.#terminal.out(this.#held.join(''));
    const totals = this.#tracker.summary();
    if (!completed || (!isDrawn && totals.transferredBytes === 0)) return;
    const { action, route } = this.#options;
    const { columns } = this.#terminal.drawing;
    const line = summaryLine(totals, actions[action], { route: route?.(), columns });
    this.#terminal.note(this.#terminal.paint('dim', line));
  }

  // Shows a spinner until the first layer is known, then the board.
  async #show(): Promise<void> {
    const isKnown = this.#open.size > 0;
    if (!isKnown) {
      const { openSpinner } = await import('./spinner.ts');
      if (this.#ended || this.#screen) return;
      const { action, name } = this.#options;
      this.#screen = openSpinner(this.#terminal, `${actions[action].doing} ${visible(name)}`);
      if (this.#open.size === 0) return;
    }
    this.#isBoard = true;
    const [{ openBoard }, { boardLines }] = await Promise.all([import('./board.ts'), import('./board-lines.ts')]);
    if (this.#ended) return;
    this.#screen?.close();
    this.#screen = openBoard(this.#terminal, () => {
      this.#leaveFirst();
      const words = actions[this.#options.action];
      return boardLines([...this.#open], this.#tracker, this.#results, { terminal: this.#terminal, words });
    });
  }

  // Removes layers at the top from the board when stdout has a line about them. That line takes the layer's place, and
  // the other layers do not move.
  #leaveFirst(): void {
    const first: TrackedBlob[] = [];
    for (const blob of this.#open) {
      if (!hasEnded(blob) || !this.#results.has(blob.node.digest)) break;
      first.push(blob);
    }
    // Do this before writing them, because writing may call this again.
    for (const blob of first) this.#open.delete(blob);
    this.#leave(first, false);
  }

  #leave(blobs: readonly TrackedBlob[], isEnd: boolean): void {
    const lines = blobs.flatMap(({ node }) => this.#results.get(node.digest) ?? []);
    if (lines.length > 0) this.#write(`${lines.join('\n')}\n`);
    // Layers without a result line stay on stderr, unless they need more than a screen.
    const rest = blobs.filter(({ node }) => !this.#results.has(node.digest) && !this.#heldAbout.has(node.digest));
    if (!isEnd || !this.#isBoard || rest.length > this.#terminal.drawing.rows - 2) return;
    const words = actions[this.#options.action];
    for (const blob of rest) this.#screen?.note(`${shortDigest(blob.node.digest)}: ${endWord(blob, words)}`);
  }

  #note(line: string): void {
    if (this.#screen) this.#screen.note(line);
    else this.#terminal.progressStream.write(`${line}\n`);
  }

  #takesOut(text: string | Uint8Array): boolean {
    if (this.#writesItself) return false;
    const { isTTY, isPipe } = this.#terminal.out$;
    if (!isTTY && !isPipe) return false;
    const whole = typeof text === 'string' ? text : Buffer.from(text).toString();
    if (isTTY) {
      this.#leaveFirst();
      this.#write(whole);
    } else this.#held.push(whole);
    return true;
  }

  // Writes to stdout, which may be the same screen.
  #write(text: string): void {
    const write = (): void => {
      this.#writesItself = true;
      const written = this.#terminal.out(text);
      written.catch(() => {}); // reported at the end
      this.#writes.push(written);
      this.#writesItself = false;
    };
    if (this.#screen) this.#screen.around(write);
    else write();
  }
}
