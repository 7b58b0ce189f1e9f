import type { TransferEvent } from '../model/events.ts';

/**
 * Events for a reader who may be slow or absent. A progress event replaces an unread one of the same node, so the queue
 * never holds more than a few events per node.
 */
export class EventQueue implements AsyncIterable<TransferEvent> {
  #waiting: TransferEvent[] = [];
  readonly #progressAt = new Map<string, number>();
  #wake: (() => void) | undefined;
  #ended = false;
  /** Called with every event at once. */
  tap: ((event: TransferEvent) => void) | undefined;

  push(event: TransferEvent): void {
    this.tap?.(event);
    if (event.type === 'progress') {
      const at = this.#progressAt.get(event.node.digest);
      if (at !== undefined) {
        this.#waiting[at] = event;
        return;
      }
      this.#progressAt.set(event.node.digest, this.#waiting.length);
    } else if ('node' in event) {
      // What comes after this one happens after it, too.
      this.#progressAt.delete(event.node.digest);
    }
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TransferEvent, void, undefined> {
    for (;;) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#progressAt.clear();
      yield* batch;
      if (this.#waiting.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
