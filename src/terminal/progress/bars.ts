import { type Digest, shortDigest } from '../../model/digest.ts';
import type { TransferEvent, Waiting } from '../../model/events.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { hasEnded, ProgressTracker, type TrackedBlob } from '../../model/progress/tracker.ts';
import { visible } from '../../model/quote.ts';
import type { Terminal } from '../terminal.ts';
import { endWord, summaryLines } from './figures.ts';
import { actions, type Progress, type ProgressOptions } from './progress.ts';
import type { Screen } from './screen.ts';
import { type ShownWait, startWait } from './shown-wait.ts';

/** Shorter runs draw nothing, and do not load the code that draws. */
const quietMs = 150;

/** After these, what a request waited for has come. */
const endsWait: ReadonlySet<TransferEvent['type']> = new Set<TransferEvent['type']>([
  'resolved',
  'discovered',
  'tagged',
]);

/** On a terminal: a line for each layer, and one for the total. */
export function createBars(terminal: Terminal, options: ProgressOptions): Progress {
  return new Bars(terminal, options);
}

class Bars implements Progress {
  readonly #terminal: Terminal;
  readonly #options: ProgressOptions;
  readonly #tracker: ProgressTracker;
  /** Layers without a permanent line, in the order in which they were found. */
  readonly #open = new Set<TrackedBlob>();
  /** Lines of stdout that take the place of a layer on this screen. */
  readonly #results = new Map<Digest, string>();
  /** Layers of which a pipe has a line, whose reader may show it on this screen. */
  readonly #piped = new Set<Digest>();
  readonly #writes: Promise<void>[] = [];
  readonly #timer: NodeJS.Timeout;
  #screen: Screen | undefined;
  /** The latest wait of a request that is not a blob's. */
  #wait: ShownWait | undefined;
  #isBoard = false;
  #isLeaving = false;
  #ended = false;

  constructor(terminal: Terminal, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#tracker = new ProgressTracker();
    this.#timer = setTimeout(() => void this.#show(), quietMs);
    terminal.overlay({ note: (line) => this.#note(line), aside: (write) => this.#aside(write) });
  }

  event(event: TransferEvent): void {
    if (this.#ended) return;
    const blob = this.#tracker.event(event);
    if (endsWait.has(event.type)) this.#wait = undefined;
    if (event.type !== 'discovered' || blob?.kind !== 'layer') return;
    this.#open.add(blob);
    if (this.#screen && !this.#isBoard) void this.#show();
  }

  waiting(wait: Waiting): void {
    this.#wait = startWait(wait);
  }

  async say(line: string, about?: Digest): Promise<void> {
    const { resultsGo } = this.#terminal;
    if (about !== undefined && resultsGo === 'screen') {
      this.#results.set(about, line);
      return;
    }
    if (about !== undefined && resultsGo === 'pipe') this.#piped.add(about);
    await this.#terminal.out(`${line}\n`);
  }

  concluded(layers: readonly { readonly descriptor: Descriptor }[]): void {
    if (!this.#options.several) return;
    const digests = new Set(layers.map(({ descriptor }) => descriptor.digest));
    for (const blob of this.#open) if (hasEnded(blob) && digests.has(blob.node.digest)) this.#open.delete(blob);
  }

  async end(completed: boolean): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#leaveAll();
    this.#screen?.close();
    this.#terminal.overlay(undefined);
    await Promise.all(this.#writes);
    if (!completed) return;
    const { action, route } = this.#options;
    const { columns } = this.#terminal.drawing;
    for (const line of summaryLines(this.#tracker.summary(), actions[action], { route: route?.(), columns })) {
      this.#terminal.note(this.#terminal.paint('dim', line));
    }
  }

  // Shows a spinner until the first layer is known, then the board.
  async #show(): Promise<void> {
    const isKnown = this.#open.size > 0;
    if (!isKnown) {
      const { openSpinner } = await import('./spinner.ts');
      if (this.#ended || this.#screen) return;
      const { action, name } = this.#options;
      const text = `${actions[action].doing} ${visible(name)}`;
      this.#screen = openSpinner(this.#terminal, text, () => this.#wait);
      if (this.#open.size === 0) return;
    }
    this.#isBoard = true;
    const [{ openBoard }, { boardLines }] = await Promise.all([import('./board.ts'), import('./board-lines.ts')]);
    if (this.#ended) return;
    this.#screen?.close();
    this.#screen = openBoard(this.#terminal, () => {
      this.#leaveFirst();
      const words = actions[this.#options.action];
      const where = { terminal: this.#terminal, words, wait: this.#wait };
      return boardLines([...this.#open], this.#tracker, this.#results, where);
    });
  }

  // Layers at the top of the board that have a line on stdout leave the board. That line takes the layer's place, and the
  // other layers do not move.
  #leaveFirst(): void {
    const first: TrackedBlob[] = [];
    for (const blob of this.#open) {
      if (!hasEnded(blob) || !this.#results.has(blob.node.digest)) break;
      first.push(blob);
    }
    this.#leave(first);
  }

  // All layers that have ended leave the board.
  #leaveAll(): void {
    this.#leave([...this.#open].filter(hasEnded));
  }

  // Without a line on stdout, a layer gets one on stderr, unless there are several images, or more layers than rows.
  #leave(blobs: readonly TrackedBlob[]): void {
    for (const blob of blobs) this.#open.delete(blob);
    const { drawing } = this.#terminal;
    const hasLines = this.#isBoard && !this.#options.several && blobs.length <= drawing.rows - 2;
    const words = actions[this.#options.action];
    for (const blob of blobs) {
      const { digest } = blob.node;
      const result = this.#results.get(digest);
      if (result !== undefined) this.#out(`${result}\n`);
      else if (hasLines && !this.#piped.has(digest)) this.#note(`${shortDigest(digest)}: ${endWord(blob, words)}`);
    }
  }

  #out(text: string): void {
    this.#isLeaving = true;
    const written = this.#terminal.out(text);
    this.#isLeaving = false;
    written.catch(() => {}); // reported at the end
    this.#writes.push(written);
  }

  #note(line: string): void {
    if (this.#screen) this.#screen.note(line);
    else this.#terminal.progressStream.write(`${line}\n`);
  }

  // A result that is about no layer follows all layers of its image.
  #aside(write: () => void): void {
    if (!this.#isLeaving && this.#options.several) this.#leaveFirst();
    else if (!this.#isLeaving) this.#leaveAll();
    if (this.#screen) this.#screen.around(write);
    else write();
  }
}
