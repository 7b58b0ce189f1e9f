/** A bounded part of a stream that several readers share: what the slowest of them has not read yet. */
export class SharedWindow {
  readonly #maxBytes: number;
  readonly #onHeld: (readers: readonly WindowReader[]) => void;
  readonly #readers = new Set<WindowReader>();
  readonly #chunks: Uint8Array[] = [];
  /** The number of the first chunk in memory. */
  #first = 0;
  #bytes = 0;
  #wakeWriter: (() => void) | undefined;
  #end: { readonly error?: unknown } | undefined;

  /**
   * @param maxBytes Further chunks wait when this much is in memory.
   * @param onHeld Called with the readers that the others wait for, whenever these may have changed.
   */
  constructor(maxBytes: number, onHeld: (readers: readonly WindowReader[]) => void) {
    this.#maxBytes = maxBytes;
    this.#onHeld = onHeld;
  }

  /** A reader from the beginning on. Only before the first `write`. */
  add(): WindowReader {
    const reader = new WindowReader(
      (at) => this.#at(at),
      () => this.#changed(),
      () => {
        this.#readers.delete(reader);
        this.#changed();
      },
    );
    this.#readers.add(reader);
    return reader;
  }

  /** Whether each reader has read everything, or left. */
  get isDrained(): boolean {
    return this.#end !== undefined && [...this.#readers].every(({ isFinished }) => isFinished);
  }

  /** Adds a copy of a chunk, and waits until there is room for another one. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(new Uint8Array(chunk));
    this.#bytes += chunk.length;
    for (const reader of this.#readers) reader.wake();
    this.#changed();
    while (this.#bytes >= this.#maxBytes && this.#readers.size > 0) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
  }

  /** Nothing follows. @param failed What the readers fail with. */
  finish(failed?: { readonly error: unknown }): void {
    this.#end = failed ?? {};
    for (const reader of this.#readers) reader.wake();
    this.#changed();
  }

  #at(number: number): Uint8Array | 'end' | 'wait' {
    const chunk = this.#chunks[number - this.#first];
    if (chunk) return chunk;
    if (!this.#end) return 'wait';
    if ('error' in this.#end) throw this.#end.error;
    return 'end';
  }

  #changed(): void {
    const slowest = Math.min(...[...this.#readers].map(({ at }) => at));
    while (this.#first < slowest && this.#chunks.length > 0) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
      this.#first += 1;
    }
    const isFull = this.#bytes >= this.#maxBytes && this.#readers.size > 0;
    if (!isFull) this.#wakeWriter?.();
    this.#onHeld(this.#held(isFull, slowest));
  }

  #held(isFull: boolean, slowest: number): readonly WindowReader[] {
    const readers = [...this.#readers];
    if (this.#end) return readers.some(({ isFinished }) => isFinished) ? readers.filter((one) => !one.isFinished) : [];
    if (!isFull || !readers.some(({ isWaiting }) => isWaiting)) return [];
    return readers.filter(({ at }) => at === slowest);
  }
}

/** One reader of a window. */
export class WindowReader {
  /** The number of the next chunk. */
  at = 0;
  /** Whether it waits for a chunk. */
  isWaiting = false;
  isFinished = false;
  #hasLeft = false;
  #wake: (() => void) | undefined;
  readonly #get: (number: number) => Uint8Array | 'end' | 'wait';
  readonly #changed: () => void;
  readonly #leave: () => void;

  constructor(get: (number: number) => Uint8Array | 'end' | 'wait', changed: () => void, leave: () => void) {
    this.#get = get;
    this.#changed = changed;
    this.#leave = leave;
  }

  /** @returns The next chunk; `end` after the last one; `left` if it left the window. @throws what the stream ended with. */
  async next(): Promise<Uint8Array | 'end' | 'left'> {
    for (;;) {
      if (this.#hasLeft) return 'left';
      const found = this.#get(this.at);
      if (found !== 'wait') {
        this.isFinished = found === 'end';
        if (found !== 'end') this.at += 1;
        this.#changed();
        return found;
      }
      this.isWaiting = true;
      this.#changed();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.isWaiting = false;
    }
  }

  wake(): void {
    this.#wake?.();
  }

  /** The others no longer wait for it, and what only it has not read is freed. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#wake?.();
    this.#leave();
  }
}
